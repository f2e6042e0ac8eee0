using Perennial.AspNetCore;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Starts;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Answers;
using Perennial.Gateway.Diagnostics;
using Perennial.Gateway.Upstream;

namespace Perennial.Gateway.Exchanges;

/// <summary>
/// Sends one request with a key to the upstream, and records what became of it in a run that was recorded before: an answer, or an unknown
/// fate. A
/// refusal releases the key, and goes to the client that waits for it without being recorded.
/// </summary>
/// <param name="upstream">The upstream.</param>
/// <param name="request">The request, which is disposed.</param>
/// <param name="key">Its key.</param>
/// <param name="keys">Releases the key.</param>
/// <param name="time">The clock.</param>
internal sealed class PaidExchange(GatewayUpstream upstream, HttpRequestMessage request, StartKey key, KeyedStarts keys, TimeProvider time)
{
    private const int BlockBytes = 64 * 1024;

    private readonly TaskCompletionSource<HttpResponseMessage?> _refusal = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits for the refusal of the upstream. Null if there is none, so the run has the answer. The caller disposes it.</summary>
    public async Task<HttpResponseMessage?> WaitForRefusalAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _refusal.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = DisposeLaterAsync();
            throw;
        }
    }

    /// <summary>Sends the request and records the answer.</summary>
    /// <exception cref="RunFailedException">There is no answer, it is a refusal, or it is not whole.</exception>
    public async Task ProduceAsync(RunWriter writer, CancellationToken stop)
    {
        try
        {
            using (request)
            {
                var response = await SendAsync(stop);
                if (UpstreamFate.IsRefusal(response))
                {
                    await keys.ReleaseAsync(key);
                    _refusal.SetResult(response);
                    throw new RunFailedException("The upstream refused the request.", UpstreamFate.Refused);
                }

                await RecordAsync(response, writer, stop);
            }
        }
        finally
        {
            _refusal.TrySetResult(null);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(upstream.Options.FirstByteTimeout, time);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        var begin = time.GetTimestamp();
        try
        {
            var response = await upstream.Client.SendAsync(request, leave.Token);
            GatewayTelemetry.RecordFirstByte(upstream.Address.Name, time.GetElapsedTime(begin));
            return response;
        }
        catch (Exception e) when (UpstreamFate.NeverSent(e))
        {
            await keys.ReleaseAsync(key);
            throw new RunFailedException(UpstreamFate.Describe(e), UpstreamFate.Unreachable, e);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new RunFailedException(UpstreamFate.TimedOut, UpstreamFate.Timeout, e);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            throw new RunFailedException(UpstreamFate.Describe(e), UpstreamFate.Unknown, e);
        }
    }

    private async Task RecordAsync(HttpResponseMessage response, RunWriter writer, CancellationToken stop)
    {
        UpstreamStream? stream;
        try
        {
            stream = await StreamTaker.TryTakeAsync(response, upstream.Options, time, stop);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or InvalidDataException)
        {
            response.Dispose();
            throw new RunFailedException(UpstreamFate.Describe(e), UpstreamFate.Unknown, e);
        }

        _refusal.TrySetResult(null);
        if (stream is not null)
        {
            await AnswerProducer.ProduceAsync(stream, upstream.Address.Name, writer, stop);
            return;
        }

        GatewayTelemetry.CountPaid(upstream.Address.Name, dialect: null);
        using (response)
        {
            await RecordDocumentAsync(response, writer, stop);
        }
    }

    private static async Task RecordDocumentAsync(HttpResponseMessage response, RunWriter writer, CancellationToken stop)
    {
        var ahead = new WriteAhead(writer);
        try
        {
            await ahead.WriteAsync(ResponseHead.Of(response, response.Content, dialect: null).ToEvent(), stop);
            await using var body = await response.Content.ReadAsStreamAsync(stop);
            var block = new byte[BlockBytes];
            for (int read; (read = await body.ReadAtLeastAsync(block, block.Length, throwOnEndOfStream: false, stop)) > 0;)
            {
                await ahead.WriteAsync(new RunEvent { Data = block.AsSpan(0, read).ToArray(), Kind = RunDataKind.Binary }, stop);
            }

            await ahead.FinishAsync();
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            await ahead.FinishAsync();
            throw new RunFailedException("The upstream's response broke off.", UpstreamFate.Interrupted, e);
        }
        finally
        {
            ahead.Abandon();
        }
    }

    private async Task DisposeLaterAsync() => (await _refusal.Task)?.Dispose();
}
