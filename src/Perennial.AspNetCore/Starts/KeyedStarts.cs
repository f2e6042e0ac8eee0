using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Http;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Starts;

/// <summary>
/// Calls the handler of an endpoint once for each <c>Idempotency-Key</c> and answers repeats with the run that it started. Safe from any
/// thread.
/// </summary>
internal sealed class KeyedStarts(
    RunStore store, StreamRuns runs, IOptions<PerennialServerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime,
    ILogger<StreamRuns> logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ReleaseRetry = TimeSpan.FromSeconds(1);

    private readonly StartOptions _options = options.Value.Starts;

    /// <summary>Answers a request that may have a key.</summary>
    /// <param name="context">The request, whose body has not been read.</param>
    /// <param name="handler">The endpoint.</param>
    public async Task AnswerAsync(HttpContext context, RequestDelegate handler)
    {
        Announce(context.Response);
        if (!IdempotencyKey.TryRead(context.Request.Headers[IdempotencyKey.HeaderName], out var key))
        {
            await Problem.BadKeyAsync(context);
        }
        else if (key is null)
        {
            await handler(context);
        }
        else if (await RequestFingerprint.ReadAsync(context.Request, _options.MaxBodyBytes) is not { } fingerprint)
        {
            await Problem.SendAsync(
                context,
                StatusCodes.Status413PayloadTooLarge,
                $"A request with an Idempotency-Key may have at most {_options.MaxBodyBytes} bytes.");
        }
        else
        {
            await AnswerOnceAsync(context, new StartKey
            {
                Name = RequestCredentials.Scope(context, key),
                Fingerprint = fingerprint,
                Request = Guid.NewGuid(),
            }, handler);
        }
    }

    // Set when the response starts, because exception handlers clear the headers.
    private static void Announce(HttpResponse response) => response.OnStarting(
        static response =>
        {
            ((HttpResponse)response).Headers[WireHeaders.Starts] = WireHeaders.Once;
            return Task.CompletedTask;
        },
        response);

    private async Task AnswerOnceAsync(HttpContext context, StartKey key, RequestDelegate handler)
    {
        StartClaim claim;
        try
        {
            claim = await ClaimAsync(key, context.RequestAborted);
        }
        catch (RunStoreException e)
        {
            await Problem.StoreUnavailableAsync(context, e);
            return;
        }

        await (claim.Outcome switch
        {
            StartClaimOutcome.Claimed => HandleAsync(context, key, handler),
            StartClaimOutcome.Started => RepeatAsync(context, claim.RunId!),
            StartClaimOutcome.OtherRequest => Problem.KeyReusedAsync(context),
            _ => Problem.UnavailableAsync(
                context, "The first request with this Idempotency-Key is still being handled.", RefusalReasons.StartUnderWay),
        });
    }

    /// <summary>Claims the key. Waits while another request has it, up to the limit.</summary>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async Task<StartClaim> ClaimAsync(StartKey key, CancellationToken cancellationToken)
    {
        var begin = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause < LongestPause / 2 ? pause * 2 : LongestPause)
        {
            var claim = await store.ClaimStartAsync(key, cancellationToken);
            if (claim.Outcome != StartClaimOutcome.UnderWay || time.GetElapsedTime(begin) >= _options.MaxWait)
            {
                return claim;
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private async Task HandleAsync(HttpContext context, StartKey key, RequestDelegate handler)
    {
        var start = new StartUnderWay(key);
        start.MakeCurrent();      // a run that the handler starts is recorded with the key
        try
        {
            await handler(context);
        }
        finally
        {
            if (!start.HasRecordedRun)
            {
                await ReleaseAsync(key);
            }
        }
    }

    private async Task RepeatAsync(HttpContext context, string runId)
    {
        if (await runs.FindAsync(runId, context.RequestAborted) is { } run)
        {
            await ReturnedRun.AnswerAsync(context, run, ResumePlace.RequestedBy(context.Request));
        }
        else
        {
            await Problem.SendAsync(context, StatusCodes.Status410Gone, "The run that this Idempotency-Key started is no longer kept.");
        }
    }

    /// <summary>Releases a key, so that a repeat starts again. If the store is unavailable, this is done later.</summary>
    public async Task ReleaseAsync(StartKey key)
    {
        if (!await TryReleaseAsync(key))
        {
            _ = ReleaseLaterAsync(key);
        }
    }

    private async Task<bool> TryReleaseAsync(StartKey key)
    {
        try
        {
            await store.ReleaseStartAsync(key, CancellationToken.None);
            return true;
        }
        catch (RunStoreException e)
        {
            Log.StoreUnavailable(logger, e);
            return false;
        }
    }

    /// <summary>Releases a key, and retries while the store is unavailable: a key that stays claimed would refuse every repeat.</summary>
    private async Task ReleaseLaterAsync(StartKey key)
    {
        var begin = time.GetTimestamp();
        do
        {
            await Task.Delay(ReleaseRetry, time, lifetime.ApplicationStopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!lifetime.ApplicationStopping.IsCancellationRequested && time.GetElapsedTime(begin) < _options.KeyRetention && !await TryReleaseAsync(key));
    }
}
