using System.Net;
using System.Net.Sockets;
using Perennial.PostgreSql.Tests.Support;
using Perennial.Sse;
using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary><c>perennial serve --postgres</c>: several processes that serve each other's runs.</summary>
public sealed class ServePostgresTests(PostgreSqlCluster cluster) : IClassFixture<PostgreSqlCluster>
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = Cli.Hang)]
    public async Task Two_processes_serve_each_others_runs_while_they_are_written()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();

        await ReadElsewhereAsync(first, second, "of the first");
        await ReadElsewhereAsync(second, first, "of the second");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task A_run_outlives_the_process_that_wrote_it_and_can_be_stopped_by_another()
    {
        await using var second = await StartAsync();
        Uri finished;
        await using (var first = await StartAsync())
        {
            await WriteAsync(first, "all");
            first.Cli.Input.Close();
            finished = Of(first, second);
            (await Streams.ReadAsync(finished)).ShouldBe(["all"]);
        }

        await using var third = await StartAsync();
        await WriteAsync(third, "half");
        using var client = new HttpClient();
        using var stopped = await client.DeleteAsync(Of(third, second), TestEnds);

        (await Streams.ReadAsync(finished)).ShouldBe(["all"]);
        (await stopped.Content.ReadAsStringAsync(TestEnds)).ShouldContain("stopped");
        (await client.GetStringAsync(third.Address, TestEnds)).ShouldContain("event: perennial.stopped\n");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Says_so_where_the_database_cannot_be_used()
    {
        cluster.Require();
        using var nobody = new TcpListener(IPAddress.Loopback, 0);
        nobody.Start();
        var port = ((IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();

        var away = await Cli.RunAsync("serve", "--stdin", "--postgres", $"Host=127.0.0.1;Port={port};Username=a;Password=secret");
        var refused = await Cli.RunAsync("serve", "--stdin", "--postgres", $"{cluster.ConnectionString};Password=secret;Database=missing");

        foreach (var run in new[] { away, refused })
        {
            run.ErrorLines.Length.ShouldBe(1, run.Error);
            run.Error.ShouldContain("cannot use the database of --postgres");
            run.Error.ShouldNotContain("secret");
            run.Output.ShouldBeEmpty();
            run.ExitCode.ShouldBe(1);
        }

        refused.Error.ShouldContain("missing");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task A_prompt_is_paid_once_even_if_the_process_that_sent_it_is_killed()
    {
        cluster.Require();
        await using var upstream = ScriptedServer.Start(exchange => exchange.WaitForClientCloseAsync());
        await using var other =
            await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri, "--postgres", cluster.ConnectionString);
        await using (var killed = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri, "--postgres", cluster.ConnectionString))
        {
            var sent = PostAsync(killed.Address);
            await upstream.WaitForRequestsAsync(1, TestEnds);
            await killed.Cli.SignalAsync("KILL");
            await Should.ThrowAsync<HttpRequestException>(() => sent);
        }

        using var repeat = await PostAsync(other.Address);

        repeat.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        repeat.Headers.GetValues("x-should-retry").ShouldBe(["false"]);
        (await repeat.Content.ReadAsStringAsync(TestEnds)).ShouldContain("producer_lost");
        upstream.Requests.Count.ShouldBe(1);
    }

    private static async Task<HttpResponseMessage> PostAsync(Uri address)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent("{}") };
        request.Headers.Add("Idempotency-Key", "killed");
        return await client.SendAsync(request, TestEnds);
    }

    private async Task<ServeProcess> StartAsync()
    {
        cluster.Require();
        return await ServeProcess.StartAsync("--stdin", "--postgres", cluster.ConnectionString);
    }

    private static async Task ReadElsewhereAsync(ServeProcess producer, ServeProcess other, string text)
    {
        await WriteAsync(producer, text + ": one");
        await using var reader = Streams.Open(new SseTransportOptions { Endpoint = Of(producer, other) });
        await using var messages = reader.ReadAllAsync(TestEnds).GetAsyncEnumerator(TestEnds);
        (await messages.MoveNextAsync()).ShouldBeTrue();
        messages.Current.Text.ShouldBe(text + ": one");

        await WriteAsync(producer, text + ": two");
        (await messages.MoveNextAsync()).ShouldBeTrue();
        messages.Current.Text.ShouldBe(text + ": two");
        producer.Cli.Input.Close();
        (await messages.MoveNextAsync()).ShouldBeFalse();
    }

    private static async Task WriteAsync(ServeProcess producer, string line)
    {
        await producer.Cli.Input.WriteLineAsync(line.AsMemory(), TestEnds);
        await producer.Cli.Input.FlushAsync(TestEnds);
    }

    /// <summary>The run of one process at the address of another.</summary>
    private static Uri Of(ServeProcess producer, ServeProcess other) => new(other.Address, producer.Address.AbsolutePath);
}
