using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.WebSockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Answers WebSocket handshakes, and upgrades to a byte stream, with a run. Safe from any thread.</summary>
/// <remarks>
/// It contains the platform's own handshake, so an application may call <c>UseWebSockets</c> but does not have to.
/// </remarks>
internal sealed class SocketEndpoint
{
    private const string Upgrade = "websocket";

    private readonly PerennialServerOptions _options;
    private readonly TimeProvider _time;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ReaderPlaces _readers;
    private readonly MessageRate _rate;
    private readonly WebSocketMiddleware _handshake;

    public SocketEndpoint(
        IOptions<PerennialServerOptions> options, ReaderPlaces readers, MessageRate rate, TimeProvider time, IHostApplicationLifetime lifetime,
        ILoggerFactory loggers)
    {
        _readers = readers;
        _rate = rate;
        _options = options.Value;
        _time = time;
        _lifetime = lifetime;
        _handshake = new WebSocketMiddleware(static _ => Task.CompletedTask, Options.Create(new WebSocketOptions()), loggers);
    }

    /// <summary>
    /// Whether a request is a WebSocket handshake (RFC 6455, section 4.1, and RFC 8441, section 4), valid or not, or asks for a byte
    /// stream.
    /// </summary>
    public static bool IsAskedBy(HttpContext context)
    {
        if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: Upgrade })
        {
            return true;
        }

        var isUpgrade = context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
            && context.Request.Headers.Upgrade.ToString().Contains(Upgrade, StringComparison.OrdinalIgnoreCase);
        return isUpgrade || context.WebSockets.IsWebSocketRequest || FramedUpgrade.IsAskedBy(context);
    }

    /// <summary>Checks the handshake and the origin of its page. If it returns false, the request has been answered.</summary>
    public async ValueTask<bool> AdmitAsync(HttpContext context)
    {
        if (OriginCheck.Allows(context.Request, _options.WebSockets.AllowedOrigins))
        {
            return true;
        }

        await Problem.SendAsync(
            context,
            StatusCodes.Status403Forbidden,
            "Pages of this origin may not open a WebSocket on this server.",
            RefusalReasons.Origin);
        return false;
    }

    /// <summary>Serves a run until the socket is closed.</summary>
    /// <param name="context">The request.</param>
    /// <param name="log">The run.</param>
    /// <param name="requested">The last id that the reader has; null for none.</param>
    public async Task ServeAsync(HttpContext context, RunLog log, string? requested)
    {
        PlatformPolicies.Exempt(context);
        GatheringUpgrade? gathering = null;
        var kind = FramedUpgrade.IsAskedBy(context) ? ReaderKind.ByteStream : ReaderKind.WebSocket;
        if (kind == ReaderKind.WebSocket && IsForUs(context))
        {
            gathering = GatheringUpgrade.TryInstall(context.Features);
            await _handshake.Invoke(context);
        }

        if (kind == ReaderKind.WebSocket && !context.WebSockets.IsWebSocketRequest)
        {
            await RefuseAsync(context);
        }
        else if (_readers.Take(log.Id, kind) is var outcome && outcome == PlaceOutcome.Had)
        {
            try
            {
                await AcceptAsync(context, log, requested, kind, gathering);
            }
            finally
            {
                _readers.Leave(log.Id, kind);
            }
        }
        else
        {
            await Problem.NoPlaceAsync(context, outcome);
        }
    }

    /// <summary>
    /// Whether this class performs the handshake. A server that cannot upgrade connections, such as TestServer, performs its own.
    /// </summary>
    private static bool IsForUs(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
        || !context.WebSockets.IsWebSocketRequest;

    private async Task AcceptAsync(HttpContext context, RunLog log, string? requested, ReaderKind kind, GatheringUpgrade? gathering)
    {
        var state = await log.GetStateAsync(context.RequestAborted);
        var speaksPerennial = kind == ReaderKind.ByteStream
            || context.WebSockets.WebSocketRequestedProtocols.Contains(WireHeaders.SubProtocol, StringComparer.Ordinal);
        var place = ReaderPlace.After(log.Epoch, state, speaksPerennial ? requested : null);
        if (place.HasEverything(state))
        {
            place = place with { Cursor = place.Cursor - 1 };
        }

        var hello = new HelloData(_options.HeartbeatInterval.TotalSeconds, new RunEventId(log.Epoch, place.Cursor).ToString());
        WriteHeaders(context, speaksPerennial ? hello : null);
        var stream = kind == ReaderKind.ByteStream ? await FramedUpgrade.AcceptAsync(context) : null;
        using var socket = stream is null
            ? await context.WebSockets.AcceptWebSocketAsync(AcceptanceOf(speaksPerennial))
            : new FramedSocket(stream, context.Abort);
        await using var frames = new SocketFrames(socket, stream ?? gathering?.Stream, kind, _options.ReaderStallLimit, _time);
        if (speaksPerennial)
        {
            frames.Add(SideEventWriter.Hello(hello), WebSocketMessageType.Text);
        }

        await TalkAsync(context, log, place, socket, frames, speaksPerennial);
    }

    private Task TalkAsync(HttpContext context, RunLog log, ReaderPlace place, WebSocket socket, SocketFrames frames, bool speaksPerennial)
    {
        var news = new RunSignal();
        var outbox = new SocketOutbox(news);
        var most = _options.MaxMessageBytes;
        var rights = new SocketRights(context);
        var inbox = new PatientInbox(log, _rate, _time);
        ISocketSink sink = speaksPerennial ? new PerennialSink(frames, outbox) : new PlainSink(frames);
        ISocketTaker taker = speaksPerennial
            ? new PerennialTaker(log, inbox, rights, outbox, new SocketForm(frames.Kind, most))
            : new PlainTaker(inbox, rights, most);
        var receiver = new SocketReceiver(socket, taker, speaksPerennial ? MostKept(most) : most);
        var delivery = new RunDelivery(log, sink, _options.HeartbeatInterval, _time, news);
        return new SocketSession(socket, sink, receiver, _time).RunAsync(
            delivery, place, context.RequestAborted, _lifetime.ApplicationStopping);
    }

    /// <summary>Refuses an invalid handshake, with the supported version (RFC 6455, section 4.4).</summary>
    private static Task RefuseAsync(HttpContext context)
    {
        const string spoken = "13";
        var isSpoken = string.Equals(context.Request.Headers.SecWebSocketVersion, spoken, StringComparison.Ordinal);
        context.Response.Headers.SecWebSocketVersion = spoken;
        return Problem.SendAsync(
            context,
            isSpoken ? StatusCodes.Status400BadRequest : StatusCodes.Status426UpgradeRequired,
            "The request is not a WebSocket handshake of version 13 (RFC 6455, section 4.1).");
    }

    // Base64 takes a third more, a text with line breaks and quotes at most twice as much. A message that takes more is refused.
    private static int MostKept(int maxMessageBytes) => (int)Math.Min(Array.MaxLength / 4, (2L * maxMessageBytes) + 1024);

    private void WriteHeaders(HttpContext context, HelloData? hello)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store, no-transform";
        if (hello is not null)
        {
            headers[WireHeaders.Protocol] = WireHeaders.Version;
            headers[WireHeaders.Cursor] = hello.Cursor;
            headers[WireHeaders.Heartbeat] = WireHeaders.FormatHeartbeat(_options.HeartbeatInterval);
        }

        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;    // ReaderStallLimit limits how long a reader may pause
        }
    }

    private WebSocketAcceptContext AcceptanceOf(bool speaksPerennial) => new()
    {
        SubProtocol = speaksPerennial ? WireHeaders.SubProtocol : null,
        // perennial.v1 has heartbeats of its own
        KeepAliveInterval = speaksPerennial ? Timeout.InfiniteTimeSpan : _options.HeartbeatInterval,
        DangerousEnableCompression = _options.WebSockets.Compression,
    };
}
