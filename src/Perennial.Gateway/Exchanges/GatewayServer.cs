using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Answers;
using Perennial.Gateway.Diagnostics;
using Perennial.Gateway.Upstream;
using Yarp.ReverseProxy.Forwarder;

namespace Perennial.Gateway.Exchanges;

/// <summary>Answers the requests of gateways: passes them to their upstreams, and makes runs of streams. Safe from any thread.</summary>
internal sealed class GatewayServer(
    IHttpForwarder forwarder,
    StreamRuns runs,
    RunReading reading,
    PaidOnce paid,
    NativeRequests native,
    RetryableRequests retryable,
    TimeProvider time,
    ILogger<GatewayServer> logger)
{
    /// <summary>Answers one request.</summary>
    public async Task AnswerAsync(HttpContext context, GatewayUpstream upstream)
    {
        if (!await OriginRule.AdmitAsync(context, upstream.Options))
        {
            return;
        }

        if (!upstream.TryEnter())
        {
            await GatewayError.BusyAsync(
                context, "gateway_busy", "The gateway serves as many requests as MaxConcurrentRequests allows. Try again later.");
            return;
        }

        GatewayTelemetry.CountActive(upstream.Address.Name, 1);
        try
        {
            if (await AllowBodyAsync(context, upstream.Options))
            {
                PlatformPolicies.Exempt(context);
                WatchedBody.Watch(context);
                await AnswerAllowedAsync(context, upstream);
            }
        }
        finally
        {
            upstream.Leave();
            GatewayTelemetry.CountActive(upstream.Address.Name, -1);
        }
    }

    /// <summary>Answers a reader at the URL of a run.</summary>
    public async Task ReadAsync(HttpContext context, RunLog log, GatewayUpstream upstream)
    {
        if (await OriginRule.AdmitAsync(context, upstream.Options))
        {
            GatewayTelemetry.CountResumed(upstream.Address.Name, log.Dialect);
            await reading.ReadAsync(context, log, ResumePlace.RequestedBy(context.Request), isFirst: false);
        }
    }

    private async Task AnswerAllowedAsync(HttpContext context, GatewayUpstream upstream)
    {
        if (PaidOnce.Concerns(context.Request))
        {
            await paid.AnswerAsync(context, upstream);
        }
        else if (!await native.TryAnswerAsync(context, upstream) && !await retryable.TryAnswerAsync(context, upstream))
        {
            await PassAsync(context, upstream);
        }
    }

    private static async ValueTask<bool> AllowBodyAsync(HttpContext context, GatewayOptions options)
    {
        if (context.Request.ContentLength > options.MaxRequestBytes)
        {
            await RefuseBodyAsync(context, options);
            return false;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = options.MaxRequestBytes;
        }

        return true;
    }

    private static Task RefuseBodyAsync(HttpContext context, GatewayOptions options) => GatewayError.SendAsync(
        context,
        StatusCodes.Status413PayloadTooLarge,
        "request_too_large",
        $"A request may have at most {options.MaxRequestBytes} bytes (MaxRequestBytes).");

    private async Task PassAsync(HttpContext context, GatewayUpstream upstream)
    {
        var name = upstream.Address.Name;
        var begin = time.GetTimestamp();
        var exchange = new PassingExchange(
            upstream.Address, upstream.Options, time, () => GatewayTelemetry.RecordFirstByte(name, time.GetElapsedTime(begin)));
        var error = await forwarder.SendAsync(context, upstream.Address.Origin, upstream.Client, ConfigOf(upstream.Options), exchange);
        if (exchange.Stream is { } stream)
        {
            GatewayTelemetry.CountRequest(name, "streamed");
            await StreamAsync(context, upstream, stream);
        }
        else if (error == ForwarderError.None)
        {
            GatewayTelemetry.CountRequest(name, "passed");
        }
        else
        {
            GatewayTelemetry.CountRequest(name, "failed");
            await ExplainAsync(context, upstream, error);
        }
    }

    private static ForwarderRequestConfig ConfigOf(GatewayOptions options) => new()
    {
        ActivityTimeout = options.FirstByteTimeout,
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
    };

    private async Task StreamAsync(HttpContext context, GatewayUpstream upstream, UpstreamStream stream)
    {
        StartedRun run;
        try
        {
            run = await runs.StartAsync(
                (writer, stop) => AnswerProducer.ProduceAsync(stream, upstream.Address.Name, writer, stop),
                new RunOptions { Retention = upstream.Options.Retention, Dialect = stream.Dialect });
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }

        Log.Streams(logger, upstream.Address.Name, GatewayTelemetry.NameOf(stream.Dialect.Name));
        context.Response.Headers.ContentLocation = RunUrl.Of(context, run.Id);
        await reading.ReadAsync(context, run.Events, after: "", isFirst: true);
    }

    /// <summary>Explains why there is no answer. If the response has begun, its connection is aborted.</summary>
    private async Task ExplainAsync(HttpContext context, GatewayUpstream upstream, ForwarderError error)
    {
        var exception = context.GetForwarderErrorFeature()?.Exception;
        if (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        Log.NoAnswer(logger, upstream.Address.Name, error.ToString(), exception);
        var isFinal = HttpMethods.IsPost(context.Request.Method) && !UpstreamFate.NeverSent(exception);     // a repeat may be paid again
        if (exception?.GetBaseException() is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge })
        {
            await RefuseBodyAsync(context, upstream.Options);
        }
        else if (error == ForwarderError.RequestTimedOut)
        {
            await GatewayError.SendAsync(
                context, StatusCodes.Status504GatewayTimeout, UpstreamFate.Timeout, UpstreamFate.TimedOut, isFinal);
        }
        else if (error == ForwarderError.RequestBodyClient)
        {
            await GatewayError.SendAsync(
                context, StatusCodes.Status400BadRequest, "request_interrupted", "The body of the request broke off.");
        }
        else
        {
            await GatewayError.SendAsync(
                context, StatusCodes.Status502BadGateway, UpstreamFate.CodeOf(exception), UpstreamFate.Describe(exception), isFinal);
        }
    }
}
