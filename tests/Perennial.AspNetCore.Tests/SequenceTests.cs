using Microsoft.AspNetCore.Builder;

namespace Perennial.AspNetCore.Tests;

/// <summary>Runs made of sequences, and writes in their short forms.</summary>
public class SequenceTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_sequence_of_text_becomes_events_of_text()
    {
        await using var server =
            await RunServer.StartAsync(map: app => app.MapPost("/chat", (StreamRuns runs) => runs.Start(Of("Hello", " world\n"))));

        using var response = await server.Client.PostAsync("/chat", content: null, TestEnds);

        var body = await response.Content.ReadAsStringAsync(TestEnds);
        body.ShouldContain("\ndata: Hello\n\n");
        body.ShouldContain("\ndata:  world\ndata: \n\n");
        body.ShouldEndWith("event: perennial.completed\ndata: [DONE]\n\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_sequence_of_values_becomes_events_of_JSON_in_camel_case()
    {
        await using var server = await RunServer.StartAsync();

        var run = await server.Runs.StartAsync(Of(new Token("a", 1), new Token("b", 2)));

        (await server.ReadAsync(run)).ShouldContain("data: {\"text\":\"a\",\"itsNumber\":1}\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Text_and_values_are_written_without_a_type_and_without_type_information()
    {
        await using var server = await RunServer.StartAsync();

        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("text", stop);
            await writer.WriteJsonAsync(new Token("a", 1), cancellationToken: stop);
        });

        var body = await server.ReadAsync(run);
        body.ShouldContain("-1\ndata: text\n\n");
        body.ShouldContain("-2\ndata: {\"text\":\"a\",\"itsNumber\":1}\n\n");
    }

    private static async IAsyncEnumerable<T> Of<T>(params T[] items)
    {
        foreach (var item in items)
        {
            await Task.Yield();
            yield return item;
        }
    }

    private sealed record Token(string Text, int ItsNumber);
}
