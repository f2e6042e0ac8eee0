using System.Net;
using Perennial.PostgreSql;
using Perennial.PostgreSql.Tests.Support;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>Two gateways on one PostgreSQL: a prompt is paid once, whichever node its client reaches, and after a restart.</summary>
public sealed class SeveralNodesTests(PostgreSqlCluster cluster) : IClassFixture<PostgreSqlCluster>
{
    private const string Chat = "/ai/v1/chat/completions";

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_repeat_at_another_node_or_after_a_restart_gets_the_first_answer()
    {
        await using var upstream = ScriptedServer.Start(
            Answers.Stream(Answers.Chat(20), ("x-request-id", "r-1")),
            exchange => exchange.RespondAsync(200, """{"id":1}""", ("Content-Type", "application/json"), ("x-request-id", "r-2")),
            exchange => exchange.ResetAsync(),
            exchange => exchange.RespondAsync(500, "never"));
        await using var other = await StartAsync(upstream, "restart");
        string stream;
        string document;
        string location;
        await using (var first = await StartAsync(upstream, "restart"))
        {
            using var response = await first.PostAsync(Chat, ("Idempotency-Key", "stream"), ("Authorization", "Bearer a"));
            location = response.Content.Headers.ContentLocation!.OriginalString;
            stream = await response.ReadAsync();
            using var whole = await first.PostAsync(Chat, ("Idempotency-Key", "document"), ("Authorization", "Bearer a"));
            document = await whole.ReadAsync();
            using var lost = await first.PostAsync(Chat, ("Idempotency-Key", "lost"), ("Authorization", "Bearer a"));
            lost.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        }

        await using var restarted = await StartAsync(upstream, "restart");
        foreach (var node in new[] { other, restarted })
        {
            using var response = await node.PostAsync(Chat, ("Idempotency-Key", "stream"), ("Authorization", "Bearer a"));
            using var whole = await node.PostAsync(Chat, ("Idempotency-Key", "document"), ("Authorization", "Bearer a"));
            using var lost = await node.PostAsync(Chat, ("Idempotency-Key", "lost"), ("Authorization", "Bearer a"));
            using var resumed = await node.GetAsync(location, ("Last-Event-ID", Answers.IdsOf(stream)[9]));

            (await response.ReadAsync()).ShouldBe(stream);
            response.Headers.GetValues("x-request-id").ShouldBe(["r-1"]);
            (await whole.ReadAsync()).ShouldBe(document);
            whole.Headers.GetValues("x-request-id").ShouldBe(["r-2"]);
            lost.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
            Answers.DataOf(await resumed.ReadAsync()).ShouldBe(Answers.DataOf(stream)[10..]);
        }

        upstream.Requests.Count.ShouldBe(3);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Clients_that_are_cut_and_thrown_between_two_nodes_get_whole_answers_and_pay_once()
    {
        const int Clients = 6;
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            for (var n = 0; n < 30; n++)
            {
                await exchange.WriteChunkAsync($"data: {Answers.Chunk(n)}\n\n");
                await Task.Yield();
            }

            await exchange.WriteChunkAsync("data: [DONE]\n\n");
            await exchange.EndChunksAsync();
        });
        await using var one = await StartAsync(upstream, "thrown");
        await using var two = await StartAsync(upstream, "thrown");
        await using var first =
            FaultProxy.Start(one.Client.BaseAddress!, connection => connection % 2 == 0 ? FaultPlan.Cut(900) : FaultPlan.None);
        await using var second =
            FaultProxy.Start(two.Client.BaseAddress!, connection => connection % 2 == 0 ? FaultPlan.Cut(1500) : FaultPlan.None);

        var answers = await Task.WhenAll(
            Enumerable.Range(0, Clients).Select(client => ReadThroughAsync(one, $"k{client}", first.Address, second.Address)));

        foreach (var answer in answers)
        {
            answer.ShouldBe([.. Enumerable.Range(0, 30).Select(Answers.Chunk), "[DONE]"]);
        }

        upstream.Requests.Count.ShouldBe(Clients);
    }

    /// <summary>Repeats the request with its key and the last id, at one node after the other, until the answer is whole.</summary>
    private static async Task<List<string>> ReadThroughAsync(GatewayHost sender, string key, params Uri[] nodes)
    {
        var data = new List<string>();
        var last = "";
        for (var turn = 0; !data.Contains("[DONE]"); turn++)
        {
            try
            {
                using var response = await sender.SendAsync(
                    HttpMethod.Post,
                    new Uri(nodes[turn % nodes.Length], Chat).AbsoluteUri,
                    GatewayHost.Prompt,
                    ("Idempotency-Key", key),
                    ("Last-Event-ID", last));
                var (text, _) = await response.ReadToBreakAsync();
                var whole = text[..(text.LastIndexOf("\n\n", StringComparison.Ordinal) + 1)];
                data.AddRange(Answers.DataOf(whole));
                last = Answers.IdsOf(whole).LastOrDefault() ?? last;
            }
            catch (HttpRequestException)
            {
                // Cut before the head.
            }
        }

        return data;
    }

    private Task<GatewayHost> StartAsync(ScriptedServer upstream, string schema)
    {
        cluster.Require();
        return GatewayHost.StartAsync(
            upstream,
            build: builder =>
                builder.Services.AddPerennialGateway().AddPostgreSqlStore(cluster.ConnectionString, options => options.Schema = schema));
    }
}
