using System.Net;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>What the gateway remembers is bounded in bytes, and what was refused takes no room from what was paid.</summary>
public class MemoryTests
{
    private const string Chat = "/ai/v1/chat/completions";

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Answers_are_bounded_in_bytes_and_a_forgotten_one_is_not_paid_again()
    {
        var document = new string('x', 300_000);
        await using var upstream =
            ScriptedServer.Start(exchange => exchange.RespondAsync(200, document, ("Content-Type", "application/json")));
        await using var gateway = await GatewayHost.StartAsync(
            upstream,
            build: builder => builder.Services.AddPerennialGateway(server => server.MaxBytesInMemory = server.MaxBytesPerRun = 1_000_000));

        for (var n = 0; n < 6; n++)
        {
            using var answer = await gateway.PostAsync(Chat, ("Idempotency-Key", $"k{n}"));
            (await answer.ReadAsync()).Length.ShouldBe(document.Length);
        }

        using var forgotten = await gateway.PostAsync(Chat, ("Idempotency-Key", "k0"));
        using var kept = await gateway.PostAsync(Chat, ("Idempotency-Key", "k5"));

        forgotten.StatusCode.ShouldBe(HttpStatusCode.Gone);
        (await kept.ReadAsync()).ShouldBe(document);
        upstream.Requests.Count.ShouldBe(6);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Refused_keys_do_not_displace_a_paid_one()
    {
        var asked = 0;
        await using var upstream = ScriptedServer.Start(exchange => Interlocked.Increment(ref asked) == 1
            ? exchange.RespondAsync(200, "paid", ("Content-Type", "application/json"))
            : exchange.RespondAsync(429));
        await using var gateway = await GatewayHost.StartAsync(
            upstream, build: builder => builder.Services.AddPerennialGateway(server => server.Starts.MaxKeys = 3));
        using var first = await gateway.PostAsync(Chat, ("Idempotency-Key", "paid"));
        await first.ReadAsync();

        for (var n = 0; n < 20; n++)
        {
            using var refused = await gateway.PostAsync(Chat, ("Idempotency-Key", $"k{n}"));
            refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        }

        using var repeat = await gateway.PostAsync(Chat, ("Idempotency-Key", "paid"));
        (await repeat.ReadAsync()).ShouldBe("paid");
        asked.ShouldBe(21);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_body_with_a_key_has_a_limit_of_its_own()
    {
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(200));
        await using var gateway = await GatewayHost.StartAsync(
            upstream, build: builder => builder.Services.AddPerennialGateway(server => server.Starts.MaxBodyBytes = 10));

        using var response = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));

        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await response.ReadAsync()).ShouldContain("MaxBodyBytes");
        upstream.Requests.ShouldBeEmpty();
    }
}
