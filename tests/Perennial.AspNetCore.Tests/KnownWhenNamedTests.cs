using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Tests.Stores;

namespace Perennial.AspNetCore.Tests;

/// <summary>An id, and a <c>Content-Location</c> with it, is given out only for a run that every node can find.</summary>
public class KnownWhenNamedTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_started_run_has_an_id_only_when_the_store_has_recorded_it()
    {
        using var shared = new MemoryRunStore(Options.Create(new PerennialServerOptions()), TimeProvider.System);
        var store = new HeldStore(shared);
        await using var server = await RunServer.StartAsync(store: store);

        var starting = server.Runs.StartAsync((_, _) => Task.CompletedTask);
        await store.IsAsked;
        var wasNamedBefore = starting.IsCompleted;
        store.GoOn();
        var run = await starting;

        wasNamedBefore.ShouldBeFalse();
        (await shared.FindAsync(run.Id, TestEnds)).ShouldNotBeNull();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task The_producer_and_the_head_of_the_answer_wait_for_the_record()
    {
        using var shared = new MemoryRunStore(Options.Create(new PerennialServerOptions()), TimeProvider.System);
        var store = new HeldStore(shared);
        var hasBegun = false;
        await using var server =
            await RunServer.StartAsync(store: store, map: app => app.MapPost("/chat", (StreamRuns runs) => runs.Start((_, _) =>
        {
            hasBegun = true;
            return Task.CompletedTask;
        })));

        var answering = server.Client.PostAsync("/chat", content: null, TestEnds);
        await store.IsAsked;
        var (wasAnsweredBefore, hadBegunBefore) = (answering.IsCompleted, hasBegun);
        store.GoOn();
        using var response = await answering;

        wasAnsweredBefore.ShouldBeFalse();
        hadBegunBefore.ShouldBeFalse();
        var id = response.Content.Headers.ContentLocation!.ToString().Split('/')[^1];
        (await shared.FindAsync(id, TestEnds)).ShouldNotBeNull();
    }
}
