using System.Net;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Tests.Stores;

namespace Perennial.AspNetCore.Tests;

/// <summary>Owner, key and metadata of runs: who sees them, how runs are found by them, and which are refused.</summary>
public class OwnerTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task An_access_rule_sees_the_owner_and_the_metadata_and_gives_strangers_the_answer_for_no_run()
    {
        await using var server = await RunServer.StartAsync(decide: runs => runs.AuthorizeRuns(async access =>
            await access.FindRunAsync() is { } run
            && string.Equals(run.Owner, access.HttpContext.Request.Headers["User"], StringComparison.Ordinal)
            && run.Metadata["team"] is "blue"));
        var run = await server.Runs.StartAsync(
            async (writer, stop) => await writer.WriteAsync("hello", stop), new RunOptions { Owner = "ann", Metadata = Team("blue") });
        var other = await server.Runs.StartAsync(
            (_, _) => Task.CompletedTask, new RunOptions { Owner = "ann", Metadata = Team("red") });

        (await StatusAsync(run.Id, "ann")).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(run.Id, "bob")).ShouldBe(HttpStatusCode.Forbidden);
        (await StatusAsync(other.Id, "ann")).ShouldBe(HttpStatusCode.Forbidden);
        (await StatusAsync("no-such-run", "ann")).ShouldBe(HttpStatusCode.Forbidden);

        async Task<HttpStatusCode> StatusAsync(string id, string user)
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, $"/streams/{id}");
            request.Headers.Add("User", user);
            using var response = await server.Client.SendAsync(request, TestEnds);
            return response.StatusCode;
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Runs_are_found_by_owner_and_the_open_one_by_its_key()
    {
        await using var server = await RunServer.StartAsync();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["title"] = "Tea" };
        var done = await server.Runs.StartAsync((_, _) => Task.CompletedTask, new RunOptions { Owner = "ann", Key = "chat" });
        await done.Completion;
        (await server.Runs.FindByKeyAsync("chat", TestEnds)).ShouldBeNull();
        var open = await server.Runs.StartAsync(
            (_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop),
            new RunOptions { Owner = "ann", Key = "chat", Metadata = metadata });
        metadata["title"] = "changed by the caller afterwards";

        var first = await server.Runs.FindByOwnerAsync("ann", count: 1, cancellationToken: TestEnds);
        var second = await server.Runs.FindByOwnerAsync("ann", count: 1, before: first.Next, cancellationToken: TestEnds);

        first.Runs.Single().Id.ShouldBe(open.Id);
        (second.Runs.Single().Id, second.Next).ShouldBe((done.Id, null));
        var found = (await server.Runs.FindByKeyAsync("chat", TestEnds)).ShouldNotBeNull();
        (found.Id, found.Owner, found.Key, found.Metadata["title"]).ShouldBe((open.Id, "ann", "chat", "Tea"));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => server.Runs.FindByOwnerAsync("ann", count: 0).AsTask());
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task What_no_store_can_keep_is_refused_with_the_rule()
    {
        await using var server = await RunServer.StartAsync();
        var many = Enumerable.Range(0, 17).ToDictionary(n => $"{n}", n => "", StringComparer.Ordinal);

        Refused(new RunOptions { Owner = "" }, "Owner must have 1 to 256 characters");
        Refused(new RunOptions { Owner = new string('x', 257) }, "Owner must have 1 to 256 characters");
        Refused(new RunOptions { Key = "zero\0byte" }, "Key must have 1 to 256 characters, without NUL");
        Refused(new RunOptions { Key = "half \ud83c" }, "half surrogate pairs");
        Refused(new RunOptions { Key = "\udf57 half" }, "half surrogate pairs");
        Refused(new RunOptions { Metadata = many }, "Metadata must have at most 16 entries, but has 17");
        Refused(new RunOptions { Metadata = One("", "x") }, "names of 1 to 64");
        Refused(new RunOptions { Metadata = One(new string('x', 65), "x") }, "names of 1 to 64");
        Refused(new RunOptions { Metadata = One("name", new string('x', 513)) }, "the entry 'name'");
        Refused(new RunOptions { Metadata = One("name", "\0") }, "the entry 'name'");
        await server.Runs.StartAsync((_, _) => Task.CompletedTask, new RunOptions
        {
            Owner = new string('x', 256),
            Key = "😀",
            Metadata = One(new string('x', 64), new string('x', 512)),
        });

        void Refused(RunOptions options, string rule) => Should.Throw<ArgumentException>(
            () => server.Runs.Start((_, _) => Task.CompletedTask, options)).Message.ShouldContain(rule);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_store_that_does_not_keep_the_owner_starts_no_run_with_one()
    {
        await using var harness = new MemoryStoreHarness();
        var inner = await harness.OpenAsync(new(), TestEnds);
        await using var server = await RunServer.StartAsync(store: new ForgetfulStore(inner));

        var refusal = await Should.ThrowAsync<NotSupportedException>(
            () => server.Runs.StartAsync((_, _) => Task.CompletedTask, new RunOptions { Owner = "ann" }));

        refusal.Message.ShouldContain("does not override Description");
        var left = (await inner.FindByOwnerAsync("ann", 10, before: null, TestEnds)).Runs.Single();
        (await left.GetStateAsync(TestEnds)).Status.ShouldBe(RunStatus.Failed);
        await server.Runs.StartAsync((_, _) => Task.CompletedTask);
    }

    private static Dictionary<string, string> Team(string name) => One("team", name);

    private static Dictionary<string, string> One(string name, string value) =>
        new(StringComparer.Ordinal) { [name] = value };

    private sealed class ForgetfulStore(RunStore inner) : PassingStore(inner)
    {
        protected override RunLog Wrap(RunLog log) => new ForgetfulLog(log);
    }

    private sealed class ForgetfulLog(RunLog inner) : PassingLog(inner)
    {
        public override RunDescription Description => RunDescription.None;
    }
}
