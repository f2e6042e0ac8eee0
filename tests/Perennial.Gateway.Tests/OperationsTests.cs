using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using Perennial.Gateway.Diagnostics;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>Limits, origins, options and metrics.</summary>
public class OperationsTests
{
    private const string Chat = "/ai/v1/chat/completions";

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Counts_what_was_paid_joined_resumed_and_cut_by_upstream_and_dialect()
    {
        var counts = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(1)), Answers.Cut(Answers.Chunks(1)));
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Meter.Name is GatewayTelemetry.Name)
            {
                own.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Count(instrument, 1, tags));
        listener.Start();
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var first = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        await first.ReadAsync();
        using var joined = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        using var resumed = await gateway.GetAsync(first.Content.Headers.ContentLocation!.OriginalString);
        using var cut = await gateway.PostAsync(Chat);
        await cut.ReadToBreakAsync();

        counts["perennial.gateway.paid openai-chat"].ShouldBe(2);
        counts["perennial.gateway.joined openai-chat"].ShouldBe(1);
        counts["perennial.gateway.cut openai-chat"].ShouldBe(1);
        counts["perennial.gateway.first_byte.duration "].ShouldBe(2);
        counts.Keys.ShouldContain(key => key.StartsWith("perennial.gateway.resumed ", StringComparison.Ordinal));

        void Count(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var dialect = "";
            var isOurs = false;
            foreach (var (name, tag) in tags)
            {
                isOurs |= name is "perennial.upstream" && Equals(tag, upstream.Address.Authority);
                dialect = name is "perennial.dialect" ? (string)tag! : dialect;
            }

            if (isOurs)
            {
                counts.AddOrUpdate($"{instrument.Name} {dialect}", value, (_, sum) => sum + value);
            }
        }
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Refuses_requests_above_its_limit_and_serves_again_when_one_has_left()
    {
        var isAllowed = new TaskCompletionSource();
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await isAllowed.Task;
            await exchange.RespondAsync(200);
        });
        await using var gateway = await GatewayHost.StartAsync(upstream, options => options.MaxConcurrentRequests = 1);

        var first = gateway.GetAsync("/ai/slow");
        await upstream.WaitForRequestsAsync(1, TestContext.Current.CancellationToken);
        using var refused = await gateway.GetAsync("/ai/other");
        isAllowed.SetResult();
        (await first).Dispose();
        await gateway.WaitUntilIdleAsync();
        using var served = await gateway.GetAsync("/ai/other");

        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.RetryAfter.ShouldNotBeNull();
        served.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Answers_the_CORS_requests_of_allowed_origins_and_refuses_others()
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(1), ("x-request-id", "r")));
        await using var gateway = await GatewayHost.StartAsync(upstream, options => options.AllowedOrigins.Add("https://app.example"));
        (string, string)[] asking = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization")];

        using var preflight = await gateway.SendAsync(HttpMethod.Options, Chat, null, asking);
        using var allowed = await gateway.PostAsync(Chat, ("Origin", "https://app.example"));
        using var own = await gateway.PostAsync(Chat, ("Origin", gateway.Client.BaseAddress!.GetLeftPart(UriPartial.Authority)));
        using var foreign = await gateway.PostAsync(Chat, ("Origin", "https://evil.example"));

        preflight.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        preflight.Headers.GetValues("Access-Control-Allow-Headers").ShouldBe(["authorization"]);
        allowed.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["https://app.example"]);
        string.Join(",", allowed.Headers.GetValues("Access-Control-Expose-Headers")).ShouldContain("x-request-id");
        own.StatusCode.ShouldBe(HttpStatusCode.OK);
        foreign.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        upstream.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public void Bad_options_are_named_with_what_is_accepted()
    {
        Should.Throw<ArgumentException>(() =>
            new GatewayOptions { FirstByteTimeout = TimeSpan.Zero }.Validate()).Message.ShouldContain("FirstByteTimeout must be from");
        Should.Throw<ArgumentException>(
            () => new GatewayOptions { AllowedOrigins = { "app.example/x" } }.Validate()).Message.ShouldContain("https://app.example.com");
        Should.Throw<ArgumentException>(() => new GatewayOptions { Headers = { ["X-Key"] = "secret\r\n" } }.Validate()).Message
            .ShouldSatisfyAllConditions(text => text.ShouldContain("X-Key"), text => text.ShouldNotContain("secret"));
    }
}
