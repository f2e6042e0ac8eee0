using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using Perennial.AspNetCore;
using Perennial.Chats.Tests.Support;
using Perennial.Tests.Fixtures;

namespace Perennial.Chats.Tests;

public class UsePerennialTests
{
    [Fact]
    public async Task A_streamed_answer_of_any_client_becomes_a_run_that_its_tokens_lead_to()
    {
        var whole = ScriptedModel.Words(4);
        var model = new ScriptedModel(whole);
        await using var server = await ChatServer.StartAsync(_ => { });
        using var chat = model.AsBuilder().UsePerennial(server.Runs).Build();

        var updates = await chat.GetStreamingResponseAsync("hello").ToListAsync().Soon();
        var rest = await chat.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = Saved(updates[1]) }).ToListAsync().Soon();

        ScriptedModel.TextOf(updates).ShouldBe(ScriptedModel.TextOf(whole));
        updates.ShouldAllBe(update => update.ContinuationToken != null);
        ScriptedModel.TextOf(rest).ShouldBe(ScriptedModel.TextOf(whole.Skip(2)));
        model.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task It_takes_the_runs_from_the_services()
    {
        await using var server = await ChatServer.StartAsync(app => app.MapGet("/built", () =>
            new ScriptedModel(ScriptedModel.Words(1))
                .AsBuilder()
                .UsePerennial()
                .Build(app.Services)
                .GetStreamingResponseAsync("x")
                .ToListAsync()
                .AsTask()));
        using var http = new HttpClient();

        (await http.GetStringAsync(new Uri(server.Address, "/built")).Soon()).ShouldContain("continuationToken");
        Should.Throw<InvalidOperationException>(
            () => new ScriptedModel([]).AsBuilder().UsePerennial().Build()).Message.ShouldContain("AddPerennialServer");
    }

    [Fact]
    public async Task A_caller_that_cancels_does_not_stop_the_model_and_reads_on_live()
    {
        var gate = new TaskCompletionSource();
        var whole = ScriptedModel.Words(3);
        var model = new ScriptedModel((_, stop) => ScriptedModel.PlayAfter(gate.Task, whole, stop));
        await using var server = await ChatServer.StartAsync(_ => { });
        using var chat = new ScriptedModel((_, stop) => Joined(stop)).AsBuilder().UsePerennial(server.Runs).Build();
        using var cancel = new CancellationTokenSource();
        ResponseContinuationToken? token = null;

        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in chat.GetStreamingResponseAsync("hello", cancellationToken: cancel.Token))
            {
                token = Saved(update);
                await cancel.CancelAsync();
            }
        }).Soon();
        var reading = chat.GetResponseAsync([], new ChatOptions { ContinuationToken = token }).Soon();
        gate.SetResult();

        (await reading).Text.ShouldBe(ScriptedModel.TextOf(whole));
        model.Cancelled.ShouldBe(0);

        async IAsyncEnumerable<ChatResponseUpdate> Joined([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
        {
            yield return new ChatResponseUpdate(ChatRole.Assistant, "first ");
            await foreach (var update in model.GetStreamingResponseAsync([], cancellationToken: stop))
            {
                yield return update;
            }
        }
    }

    [Fact]
    public async Task An_answer_that_failed_or_is_not_whole_throws_with_the_code_that_readers_get()
    {
        await using var server = await ChatServer.StartAsync(_ => { });
        using var cut =
            new ScriptedModel([new ChatResponseUpdate(ChatRole.Assistant, "half")]).AsBuilder().UsePerennial(server.Runs).Build();
        using var broken = new ScriptedModel((_, _) => throw new IOException("sk-12345")).AsBuilder().UsePerennial(server.Runs).Build();

        (await Should.ThrowAsync<RunFailedException>(cut.GetStreamingResponseAsync("x").ToListAsync().AsTask()).Soon())
            .Code.ShouldBe("incomplete_answer");
        (await Should.ThrowAsync<RunFailedException>(broken.GetStreamingResponseAsync("x").ToListAsync().AsTask()).Soon())
            .Code.ShouldBe("model_unreachable");
    }

    [Fact]
    public async Task A_token_of_the_client_behind_it_is_passed_on()
    {
        var model = new ScriptedModel(ScriptedModel.Words(1));
        await using var server = await ChatServer.StartAsync(_ => { });
        using var chat = model.AsBuilder().UsePerennial(server.Runs).Build();
        var foreign = ResponseContinuationToken.FromBytes("{\"responseId\":\"r\"}"u8.ToArray());

        await chat.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = foreign }).ToListAsync().Soon();

        model.Options!.ContinuationToken.ShouldBeSameAs(foreign);
    }

    [Fact]
    public async Task An_unknown_run_and_a_place_that_is_not_in_it_are_named()
    {
        await using var server = await ChatServer.StartAsync(_ => { });
        using var chat = new ScriptedModel(ScriptedModel.Words(1)).AsBuilder().UsePerennial(server.Runs).Build();
        var run = await server.Runs.StartAsync(new ScriptedModel(ScriptedModel.Words(1)), []);

        var unknown = ResponseContinuationToken.FromBytes("""{"run":"nowhere","lastEventId":"e-1"}"""u8.ToArray());
        var misplaced = ResponseContinuationToken.FromBytes(System.Text.Encoding.UTF8.GetBytes($$"""{"run":"{{run.Id}}","lastEventId":"other-1"}"""));

        (await Should.ThrowAsync<InvalidOperationException>(ReadAsync(unknown)).Soon()).Message.ShouldContain("no longer kept");
        (await Should.ThrowAsync<InvalidOperationException>(ReadAsync(misplaced)).Soon()).Message.ShouldContain("not of this run");

        Task ReadAsync(ResponseContinuationToken token) =>
            chat.GetStreamingResponseAsync([], new ChatOptions { ContinuationToken = token }).ToListAsync().AsTask();
    }

    [Fact]
    public async Task A_reader_inside_the_process_keeps_an_unread_run_alive()
    {
        var time = new Perennial.Testing.ManualTimeProvider();
        var gate = new TaskCompletionSource();
        var whole = ScriptedModel.Words(1);
        await using var server = await ChatServer.StartAsync(_ => { }, time);
        var options = new ChatRunOptions { Run = new RunOptions { StopWhenUnread = TimeSpan.FromMinutes(1) } };
        using var chat = new ScriptedModel((_, stop) => Joined(stop)).AsBuilder().UsePerennial(server.Runs, options).Build();
        await using var reader = chat.GetStreamingResponseAsync("hello").GetAsyncEnumerator();
        (await reader.MoveNextAsync().Soon()).ShouldBeTrue();

        time.Advance(TimeSpan.FromMinutes(5));
        gate.SetResult();

        (await reader.MoveNextAsync().Soon()).ShouldBeTrue();
        (await reader.MoveNextAsync().Soon()).ShouldBeTrue();
        (await reader.MoveNextAsync().Soon()).ShouldBeTrue();
        (await reader.MoveNextAsync().Soon()).ShouldBeFalse();

        async IAsyncEnumerable<ChatResponseUpdate> Joined([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
        {
            yield return new ChatResponseUpdate(ChatRole.Assistant, "first ");
            await foreach (var update in ScriptedModel.PlayAfter(gate.Task, whole, stop))
            {
                yield return update;
            }
        }
    }

    private static ResponseContinuationToken Saved(ChatResponseUpdate update) =>
        ResponseContinuationToken.FromBytes(update.ContinuationToken!.ToBytes().ToArray());
}
