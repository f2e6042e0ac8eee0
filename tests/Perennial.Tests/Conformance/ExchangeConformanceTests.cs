using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;

namespace Perennial.Tests.Conformance;

/// <summary>Every case of conformance/retry.json and replay.json: which requests are made, what is read, and how the stream ends.</summary>
public class ExchangeConformanceTests
{
    private static readonly IReadOnlyDictionary<string, ExchangeCase> RetryByName = ExchangeCase.Load("retry.json");
    private static readonly IReadOnlyDictionary<string, ExchangeCase> ReplayByName = ExchangeCase.Load("replay.json");

    public static TheoryData<string> RetryCases => [.. RetryByName.Keys];

    public static TheoryData<string> ReplayCases => [.. ReplayByName.Keys];

    [Theory]
    [MemberData(nameof(RetryCases))]
    public Task Retries(string name) => CheckAsync(RetryByName[name]);

    [Theory]
    [MemberData(nameof(ReplayCases))]
    public Task Replays(string name) => CheckAsync(ReplayByName[name]);

    private static async Task CheckAsync(ExchangeCase each)
    {
        await using var server = ScriptedServer.Start([.. each.Answers.Select(ScriptOf)]);
        await using var probe = new TransportProbe(
            new SseTransportOptions
            {
                Endpoint = server.Address,
                Body = each.IsPost ? RequestBody.Text("hello") : null,
                AllowReplay = each.AllowReplay,
                Reconnect = Reconnect(each),
                StartsOnce = new StartsOnceMemory(TimeProvider.System),
            });

        List<string> messages = [];
        TransportException? error = null;
        try
        {
            await foreach (var message in probe.Transport.ReadAllAsync(probe.Token))
            {
                messages.Add(message.Text);
            }
        }
        catch (TransportException e)
        {
            error = e;
        }

        var requests = server.Requests.Select(static request => $"{request.Method} {request.Header("Last-Event-ID")}".TrimEnd());
        var end = await probe.Transport.Completion;
        string.Join(", ", requests).ShouldBe(string.Join(", ", each.Requests));
        messages.ShouldBe(each.Messages);
        end.Reason.ToString().ShouldBe(each.Outcome, StringCompareShould.IgnoreCase);
        error?.Code.ToString().ShouldBe(each.Code?.Replace("-", "", StringComparison.Ordinal), StringCompareShould.IgnoreCase);
        (error is null).ShouldBe(each.Code is null);
    }

    private static ReconnectOptions Reconnect(ExchangeCase each)
    {
        var reconnect = TransportProbe.AtOnce;
        return reconnect with
        {
            MaxAttempts = each.MaxAttempts ?? reconnect.MaxAttempts,
            MaxRetryAfter = each.MaxRetryAfter ?? reconnect.MaxRetryAfter,
        };
    }

    private static Func<ScriptedExchange, Task> ScriptOf(ExchangeAnswer answer) => answer.Status switch
    {
        null => SseScripts.ResetUnanswered,
        200 =>
            SseScripts.Stream(
                answer.Body,
                answer.IsReset ? Ending.Reset : Ending.InGoodOrder,
                [.. answer.Headers.Where(static header => header.Name is not "content-type")]),
        { } status => SseScripts.Status(status, [.. answer.Headers]),
    };
}
