using System.Net;
using System.Text.Json;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Tests.Http;
using Perennial.AspNetCore.Tests.Stores;

namespace Perennial.AspNetCore.Tests.Dialects;

/// <summary>Dialects of the application's own, and dialects that a server or a store does not know.</summary>
public class OwnDialectTests
{
    [Fact(Timeout = RunServer.Hang)]
    public async Task A_dialect_of_the_applications_own_is_sent_as_it_says()
    {
        var own = new Telegraph();
        await using var server = await RunServer.StartAsync(options => options.Dialects.Add(own));
        var whole = await server.EndedRunAsync(own, failure: null, "one");
        var failed = await server.EndedRunAsync(own, new RunFailedException("Busy", "busy"), "one");

        using var response = await server.AskAsync(RunServer.PathOf(whole));

        (await RawBody.ReadAsync(response)).ShouldBe(
            new($"id: {whole.Epoch}-1\ndata: one\n\nid: {whole.Epoch}-2\nevent: telegram\ndata: STOP\n\n", true));
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream; charset=utf-8");
        WireFormatTests.Header(response, "x-telegraph").ShouldBe("morse");
        (await server.AskToEndAsync(RunServer.PathOf(failed))).ShouldBe(
            new($"id: {failed.Epoch}-1\ndata: one\n\n", false), "no error by default");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_dialect_that_the_server_does_not_know_is_refused_at_the_start()
    {
        await using var server = await RunServer.StartAsync();

        foreach (var dialect in (Dialect[])[new Telegraph(), Perennial.Dialects.Recognized, Perennial.Dialects.None])
        {
            Should.Throw<ArgumentException>(() => server.Runs.Start((_, _) => Task.CompletedTask, new RunOptions { Dialect = dialect }))
                .Message.ShouldStartWith(
                    $"Dialect must be null, one of Dialects.Known, or in PerennialServerOptions.Dialects, but is '{dialect.Name}'.");
        }
    }

    [Theory]
    [InlineData("telegraph", "telegraph")]
    [InlineData("openai-chat", "x")]
    [InlineData("recognized", "x")]
    public void Names_are_unique(string first, string second)
    {
        var options = new PerennialServerOptions { Dialects = { new Telegraph(first), new Telegraph(second) } };

        Should.Throw<ArgumentException>(options.Validate).Message.ShouldContain(
            "Dialects must not contain null, or a dialect with the name of another one");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Another_node_that_does_not_know_the_dialect_says_so()
    {
        var own = new Telegraph();
        using var stores = new MemoryStores();
        var shared = stores.Open(new PerennialServerOptions());
        await using var one = await RunServer.StartAsync(options => options.Dialects.Add(own), store: shared);
        await using var other = await RunServer.StartAsync(store: shared);
        var run = await one.EndedRunAsync(own, failure: null, "one");

        using var response = await other.AskAsync(RunServer.PathOf(run));

        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        using var problem = JsonDocument.Parse((await RawBody.ReadAsync(response)).Text);
        problem.RootElement.GetProperty("detail").GetString().ShouldBe(
            "This server does not know the dialect 'telegraph' of the run. It must be in PerennialServerOptions.Dialects.");
        (await other.ReadAsync(run)).ShouldContain(
            "event: perennial.completed\n", Case.Sensitive, "a reader that knows Perennial needs no dialect");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_store_that_does_not_keep_dialects_is_named()
    {
        using var stores = new MemoryStores();
        await using var server = await RunServer.StartAsync(store: new ForgetfulStore(stores.Open(new PerennialServerOptions())));
        var isProduced = false;

        var error = await Should.ThrowAsync<NotSupportedException>(() => server.Runs.StartAsync((_, _) =>
        {
            isProduced = true;
            return Task.CompletedTask;
        }, new RunOptions { Dialect = Perennial.Dialects.OpenAIChat }));

        error.Message.ShouldBe("ForgetfulStore does not keep the dialects of runs: its RunLog does not override Dialect.");
        isProduced.ShouldBeFalse();
        (await server.Runs.StartAsync((_, _) => Task.CompletedTask)).ShouldNotBeNull();
    }

    private sealed class Telegraph(string name = "telegraph") : Dialect(name)
    {
        public override string ContentType => "text/event-stream; charset=utf-8";

        public override IReadOnlyDictionary<string, string> ResponseHeaders =>
            new Dictionary<string, string>(StringComparer.Ordinal) { ["x-telegraph"] = "morse" };

        public override DialectSignal Judge(in DialectMessage message) =>
            message.Data.SequenceEqual("STOP"u8) ? DialectSignal.Last : DialectSignal.None;

        public override IReadOnlyList<DialectEvent>? SpellEnd(in DialectProgress stream) =>
            stream.IsComplete ? [] : [new DialectEvent { EventType = "telegram", Data = "STOP"u8.ToArray() }];
    }

    private sealed class ForgetfulStore(RunStore inner) : PassingStore(inner)
    {
        protected override RunLog Wrap(RunLog log) => new ForgetfulLog(log);
    }

    private sealed class ForgetfulLog(RunLog inner) : PassingLog(inner)
    {
        public override string? Dialect => null;
    }
}
