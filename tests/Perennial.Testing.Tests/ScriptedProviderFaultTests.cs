using System.Net;

namespace Perennial.Testing.Tests;

/// <summary>Each format with each fault, read by Perennial's client: what is not whole is not taken for whole.</summary>
public sealed class ScriptedProviderFaultTests
{
    private static readonly Dictionary<string, ScriptedProvider> ByName =
        ScriptedProvider.All.ToDictionary(static provider => provider.Dialect.Name, static provider => provider.WithDeltas(3));

    public static TheoryData<string> Dialects => [.. ByName.Keys];

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task A_whole_answer_is_complete(string dialect)
    {
        await using var server = ByName[dialect].Start();
        await using var reader = new ProviderReader(server);

        (await reader.ReadToEndAsync()).Reason.ShouldBe(StreamEndReason.Completed);

        // The marker [DONE] is no message.
        reader.Count.ShouldBe(ByName[dialect].EventCount - (dialect is "openai-chat" or "ai-sdk" ? 1 : 0));
        server.Prompts.Count.ShouldBe(1);
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task A_clean_cut_after_any_event_is_an_interruption(string dialect)
    {
        var script = ByName[dialect];
        for (var events = 1; events < Needed(script); events++)
        {
            (await ProviderReader.ReadAsync(script.CutAfter(events))).Reason.ShouldBe(StreamEndReason.Interrupted, $"{events} events");
        }
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task A_cut_inside_any_event_is_an_interruption(string dialect)
    {
        var script = ByName[dialect];
        for (var events = 1; events < Needed(script); events++)
        {
            (await ProviderReader.ReadAsync(script.CutInside(events))).Reason.ShouldBe(StreamEndReason.Interrupted, $"{events} events");
        }
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task A_reset_after_any_event_is_an_interruption(string dialect)
    {
        var script = ByName[dialect];
        for (var events = 0; events < Needed(script); events++)
        {
            await using var server = script.ResetAfter(events).Start();
            await using var reader = new ProviderReader(server);

            (await reader.ReadToEndAsync()).Reason.ShouldBe(StreamEndReason.Interrupted, $"{events} events");
            reader.Count.ShouldBe(events);
        }
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task An_answer_without_any_event_is_an_interruption_where_the_format_is_named(string dialect) =>
        (await ProviderReader.ReadAsync(ByName[dialect].CutAfter(0), ByName[dialect].Dialect)).Reason.ShouldBe(StreamEndReason.Interrupted);

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task A_connection_reset_without_an_answer_is_an_interruption_and_a_prompt(string dialect)
    {
        await using var server = ByName[dialect].ResetUnanswered().Start();
        await using var reader = new ProviderReader(server);

        (await reader.ReadToEndAsync()).Reason.ShouldBe(StreamEndReason.Interrupted);
        server.Prompts.Count.ShouldBe(1);
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task An_error_event_fails_the_answer_with_its_code(string dialect)
    {
        var code = dialect is "mcp" or "a2a" ? "-32001" : "out_of_capacity";
        var script = ByName[dialect].FailAfter(2, code, "No machine is free.");

        var end = await ProviderReader.ReadAsync(script);

        if (dialect is "gemini")
        {
            // What is no event cannot be seen in a stream of events; the missing end is.
            end.Reason.ShouldBe(StreamEndReason.Interrupted);
            return;
        }

        end.Reason.ShouldBe(StreamEndReason.Failed);
        end.Error!.ServerMessage.ShouldBe("No machine is free.");
        end.Error.ServerCode.ShouldBe(dialect is "ollama" or "ai-sdk" ? null : code);
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task A_refusal_has_the_status_and_the_body_of_the_provider_and_is_not_paid(string dialect)
    {
        var code = dialect is "mcp" or "a2a" ? "-32002" : "insufficient_quota";
        await using var server = ByName[dialect].Refuse(403, code, "You have no credit.").Start();
        await using var reader = new ProviderReader(server);

        var end = await reader.ReadToEndAsync();

        end.Reason.ShouldBe(StreamEndReason.Failed);
        end.Error!.HttpStatus.ShouldBe(HttpStatusCode.Forbidden);
        end.Error.ServerMessage.ShouldBe("You have no credit.");
        end.Error.ServerCode.ShouldBe(dialect is "ollama" ? null : code);
        server.Prompts.ShouldBeEmpty();
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task An_answer_that_stalls_goes_on_when_it_is_resumed(string dialect)
    {
        await using var server = ByName[dialect].StallAfter(2).Start();
        await using var reader = new ProviderReader(server);

        await reader.ReadAsync(2);
        var rest = reader.ReadToEndAsync();
        rest.IsCompleted.ShouldBeFalse();
        server.ResumeAll();

        (await rest).Reason.ShouldBe(StreamEndReason.Completed);
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Dialects))]
    public async Task Sees_a_client_leave_a_stalled_answer(string dialect)
    {
        await using var server = ByName[dialect].StallAfter(2).Start();
        await using (var reader = new ProviderReader(server))
        {
            await reader.ReadAsync(2);
            server.LiveConnections.ShouldBe(1);
        }

        await server.WaitForIdleAsync(Wire.Cancelled);
        server.LiveConnections.ShouldBe(0);
    }

    /// <summary>How many events there must be for a whole answer: after "finish" the AI SDK needs no marker.</summary>
    private static int Needed(ScriptedProvider script) =>
        script.Dialect == Perennial.Dialects.AISdk ? script.EventCount - 1 : script.EventCount;
}
