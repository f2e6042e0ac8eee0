using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Starts;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Answers;
using Perennial.Gateway.Diagnostics;
using Perennial.Gateway.Upstream;
using Perennial.Wire;

namespace Perennial.Gateway.Exchanges;

/// <summary>
/// Sends requests with an <c>Idempotency-Key</c> to the upstream once, and answers repeats with the recorded answer, or with the recorded
/// fact that
/// the answer is unknown. The run is recorded before the request is sent, so this holds on all nodes of a store, and if a node is killed.
/// Safe from
/// any thread.
/// </summary>
internal sealed class PaidOnce(
    KeyedStarts keys, StreamRuns runs, RunReading reading, IOptions<PerennialServerOptions> server, TimeProvider time)
{
    /// <summary>How often a repeat tries for itself after the request that it waited for was refused.</summary>
    private const int MostAttempts = 5;

    /// <summary>The item of a request with the id of the run that answers it.</summary>
    public const string RunItem = "perennial.gateway.run";

    /// <summary>Whether the request has a key, also an invalid one.</summary>
    public static bool Concerns(HttpRequest request) =>
        request.Headers.ContainsKey(IdempotencyKey.HeaderName) && !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method);

    /// <summary>Answers a request with a key.</summary>
    public async Task AnswerAsync(HttpContext context, GatewayUpstream upstream)
    {
        context.Response.OnStarting(static response =>
        {
            ((HttpResponse)response).Headers[WireHeaders.Starts] = WireHeaders.Once;
            return Task.CompletedTask;
        }, context.Response);
        if (!IdempotencyKey.TryRead(context.Request.Headers[IdempotencyKey.HeaderName], out var text) || text is null)
        {
            await GatewayError.SendAsync(
                context,
                StatusCodes.Status400BadRequest,
                "bad_key",
                $"{IdempotencyKey.HeaderName} must be one string of 1 to {IdempotencyKey.Longest} visible ASCII characters.");
            return;
        }

        var most = server.Value.Starts.MaxBodyBytes;
        if (await KeyedRequest.ReadAsync(context, upstream.Address, text, most) is not { } key)
        {
            await GatewayError.SendAsync(
                context,
                StatusCodes.Status413PayloadTooLarge,
                "request_too_large",
                $"A request with an Idempotency-Key may have at most {most} bytes (StartOptions.MaxBodyBytes).");
            return;
        }

        try
        {
            await AnswerOnceAsync(context, upstream, key);
        }
        catch (RunStoreException e) when (!context.Response.HasStarted)
        {
            await Problem.StoreUnavailableAsync(context, e);
        }
    }

    /// <summary>Sends a request whose key is claimed by nobody, or answers with what is recorded for the key.</summary>
    public async Task AnswerOnceAsync(HttpContext context, GatewayUpstream upstream, StartKey key)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var claim = await keys.ClaimAsync(key, context.RequestAborted);
            switch (claim.Outcome)
            {
                case StartClaimOutcome.Claimed:
                    await SendAsync(context, upstream, key);
                    return;
                case StartClaimOutcome.OtherRequest:
                    await GatewayError.SendAsync(
                        context,
                        StatusCodes.Status422UnprocessableEntity,
                        "key_reused",
                        "This Idempotency-Key was used before, with another request.",
                        isFinal: true);
                    return;
                case StartClaimOutcome.Started when await TryRepeatAsync(context, upstream, claim.RunId!):
                    return;
                default:
                    break;
            }
        }

        await GatewayError.BusyAsync(context, "key_in_use", "The first request with this Idempotency-Key is still being handled.");
    }

    /// <summary>Sends the request. The run comes first: it keeps the key whatever happens to this node.</summary>
    private async Task SendAsync(HttpContext context, GatewayUpstream upstream, StartKey key)
    {
        StartedRun run;
        PaidExchange exchange;
        try
        {
            exchange = new PaidExchange(upstream, await KeyedRequest.ToUpstreamAsync(context, upstream), key, keys, time);
            new StartUnderWay(key).MakeCurrent();
            run = await runs.StartAsync(
                exchange.ProduceAsync, new RunOptions { Retention = upstream.Options.Retention, Dialect = PlainDialect.Events });
        }
        catch
        {
            await keys.ReleaseAsync(key);
            throw;
        }

        if (await exchange.WaitForRefusalAsync(context.RequestAborted) is { } refusal)
        {
            GatewayTelemetry.CountRequest(upstream.Address.Name, "refused");
            await PassAsync(context, refusal);
            return;
        }

        await ReadAsync(context, upstream, run, isFirst: true);
    }

    /// <summary>Answers with what is recorded. Returns false if that is a refusal, so that the request may be sent again.</summary>
    private async Task<bool> TryRepeatAsync(HttpContext context, GatewayUpstream upstream, string runId)
    {
        if (await runs.FindAsync(runId, context.RequestAborted) is not { } run)
        {
            await GatewayError.SendAsync(
                context,
                StatusCodes.Status410Gone,
                "answer_forgotten",
                "The answer to this Idempotency-Key is no longer kept. Repeat the request with a new key.",
                isFinal: true);
            return true;
        }

        var head = await RecordedHead.WaitAsync(run.Events, context.RequestAborted);
        if (head is null && UpstreamFate.MayBeSentAgain(await EndOfAsync(run, context.RequestAborted)))
        {
            return false;
        }

        GatewayTelemetry.CountJoined(upstream.Address.Name, head?.Dialect);
        await ReadAsync(context, upstream, run, isFirst: false);
        return true;
    }

    private async Task ReadAsync(HttpContext context, GatewayUpstream upstream, StreamRun run, bool isFirst)
    {
        context.Items[RunItem] = run.Id;
        if (await RecordedHead.WaitAsync(run.Events, context.RequestAborted) is { } head)
        {
            GatewayTelemetry.CountRequest(upstream.Address.Name, isFirst ? "recorded" : "repeated");
            if (head.Dialect is not null)
            {
                context.Response.Headers.ContentLocation = RunUrl.Of(context, run.Id);
            }

            await reading.ReadAsync(context, run.Events, isFirst ? "" : ResumePlace.RequestedBy(context.Request), isFirst);
            return;
        }

        GatewayTelemetry.CountRequest(upstream.Address.Name, "failed");
        await ExplainAsync(context, await EndOfAsync(run, context.RequestAborted));
    }

    private static Task ExplainAsync(HttpContext context, ServerError end)
    {
        const string Final = " The gateway does not send the request again, because the upstream may have acted.";
        var isFinal = !UpstreamFate.MayBeSentAgain(end);
        return GatewayError.SendAsync(
            context,
            end.Code is UpstreamFate.Timeout ? StatusCodes.Status504GatewayTimeout : StatusCodes.Status502BadGateway,
            end.Code ?? UpstreamFate.Unknown,
            $"{end.Message ?? "The answer of the upstream is unknown."}{(isFinal ? Final : "")}",
            isFinal);
    }

    private static async ValueTask<ServerError> EndOfAsync(StreamRun run, CancellationToken cancellationToken)
    {
        var slice = await run.Events.ReadAsync(0, 1, cancellationToken);
        return slice.Records.IsEmpty ? default : ServerError.FromJson(slice.Records.Span[^1].Content.Data);
    }

    private static async Task PassAsync(HttpContext context, HttpResponseMessage response)
    {
        using (response)
        {
            ResponseHead.Apply(context, ResponseHead.Of(response, response.Content, dialect: null), isFirst: true);
            try
            {
                await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                context.Abort();
            }
        }
    }
}
