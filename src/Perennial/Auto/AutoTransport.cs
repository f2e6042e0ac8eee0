using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Auto;

/// <summary>
/// A stream over the first protocol that gets through the network. By default it tries WebSocket, SSE, JSON lines and long polling, in this
/// order. All protocols share one resume point: if the server numbers its messages, a change of protocol in the middle of the stream
/// neither loses nor repeats a message. Thread safe as described for <see cref="Transport"/>.
/// </summary>
/// <remarks>
/// <para>
/// Within one attempt to connect, the next protocol is tried if a protocol is refused, if its connection is interrupted, if the response
/// belongs to another protocol, or if a connection is accepted and then stays silent although the server promises to send at once
/// (docs/protocol.md), because then a proxy may hold the data back. Errors that apply to every protocol end the attempt: an unreachable
/// host, TLS errors, 401, and a status of the resource itself in response to a plain request. A server that promises nothing may stay
/// silent for any time. A protocol that was accepted twice in a row and lost before the first byte is skipped in the next attempt.
/// </para>
/// <para>
/// The protocol that got through is tried first after a lost connection, and by other transports to the same origin
/// (<see cref="AutoTransportOptions.ProtocolMemory"/>). A request with side effects is sent once; it accepts SSE and JSON lines, and never
/// uses a WebSocket. A WebSocket without <c>perennial.v1</c> is skipped unless <see cref="AutoWebSocketOptions.AllowPlain"/> is set.
/// Because it carries no ids, it is then used only from the start of a stream, never to resume.
/// </para>
/// </remarks>
public sealed class AutoTransport : Transport
{
    /// <summary>The number of consecutive connections lost before their first byte after which a protocol is skipped.</summary>
    private const int MostSilentLosses = 2;

    /// <summary>The same for the protocol that got through last on this transport: a line that is cut often says little about it.</summary>
    private const int MostLossesOfProven = 5;

    private readonly AutoTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ProtocolMemory _memory;
    private readonly ProtocolOpener _opener;
    // null unless all protocols are tried: the result would mislead other transports
    private readonly string? _memoryKey;
    private AutoConnection? _last;                          // the last opened connection
    private AutoProtocol? _preferred;                       // the protocol that connected last, unless it is skipped now
    private ProtocolFailure? _passedOver;                   // the failure of a protocol after it had connected
    private AutoProtocol? _proven;                          // the protocol whose bytes arrived last
    private int _lostTrials;                                // consecutive attempts with it that were lost before they connected
    private int _silentLosses;                                   // consecutive connections of one protocol lost before their first byte
    private volatile IReadOnlyList<ProtocolFailure> _failures = [];

    /// <summary>Creates a transport with default options. Does not connect.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or has another scheme.</exception>
    public AutoTransport(Uri endpoint, TransportServices? services = null)
        : this(new AutoTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Creates a transport and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // lets new() mean the options
    public AutoTransport(AutoTransportOptions options, TransportServices? services = null)
        : base("auto", options, services)
    {
        services ??= TransportServices.Default;
        _options = options;
        _time = services.Time;
        _logger = services.LoggerFactory.CreateSafeLogger("Perennial.Transport");
        _memory = options.ProtocolMemory;
        _opener = new ProtocolOpener(options, services);
        _memoryKey = options.Order.All(_opener.CanOpen)
            ? $"{options.Endpoint.GetComponents(UriComponents.SchemeAndServer, UriFormat.Unescaped)} {string.Join(',', options.Order)}"
            : null;
    }

    /// <summary>Gets the protocol of the present or last connection, or <see langword="null"/> before the first.</summary>
    public AutoProtocol? Protocol => Volatile.Read(ref _last)?.Protocol;

    /// <summary>
    /// Gets the protocols that the last attempt to connect skipped, with the reasons, in order. Set whether or not the attempt succeeded.
    /// </summary>
    public IReadOnlyList<ProtocolFailure> FailedProtocols => _failures;

    /// <inheritdoc/>
    protected override async ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        Judge(_last);
        _failures = _passedOver is { } known ? [known] : [];
        var search = new ProtocolSearch(Candidates(), _opener, _failures);
        while (true)
        {
            if (await TryAsync(search, context, cancellationToken).ConfigureAwait(false) is { } connection)
            {
                Take(connection);
                return connection;
            }
        }
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeCoreAsync()
    {
        await _opener.DisposeAsync().ConfigureAwait(false);
        await base.DisposeCoreAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// The order in which the protocols are tried. The protocol that connected last comes first, or else the one that got through for
    /// other transports; SSE brings a neighboring HTTP stream with it, since one request serves both. A protocol that failed after it had
    /// connected comes last.
    /// </summary>
    private IEnumerable<AutoProtocol> Candidates()
    {
        var first = _preferred ?? (_memoryKey is null ? null : _memory.Find(_memoryKey));
        var last = _passedOver?.Protocol;
        var order = _options.Order.ToList();
        var companion = first == AutoProtocol.Sse && order.IndexOf(AutoProtocol.HttpStream) == order.IndexOf(AutoProtocol.Sse) + 1
            ? AutoProtocol.HttpStream
            : first;
        return order.OrderBy(protocol => protocol == last ? 2 : protocol == first || protocol == companion ? 0 : 1);
    }

    /// <summary>Tries the next protocols of the search. Returns null if the attempt failed and other protocols are left.</summary>
    /// <exception cref="TransportException">No protocol is left, or the error applies to every protocol.</exception>
    private async ValueTask<AutoConnection?> TryAsync(ProtocolSearch search, ConnectContext context, CancellationToken cancellationToken)
    {
        var asked = search.Next();
        var trial = new ProtocolTrial(_opener, asked, _time, ShareOfTime(), OnFirstBytes);
        try
        {
            return await trial.RunAsync(context, () => search.HasAlternative, cancellationToken).ConfigureAwait(false);
        }
        catch (TransportException e)
        {
            var reason = trial.CannotResume ? FallbackReason.CannotResume : FallbackRules.ReasonFor(e, asked[0]);
            if (reason is null)
            {
                throw search.Error(e, asked);
            }

            if (reason == FallbackReason.Lost && _proven is { } proven && asked.Contains(proven) && ++_lostTrials < MostLossesOfProven)
            {
                throw search.Error(e, asked);
            }

            foreach (var failure in search.PassOver(asked, trial.Chosen, reason.Value, e))
            {
                Note(failure);
            }

            _failures = [.. search.Failures];

            return search.HasMore ? null : throw search.Error(e);
        }
    }

    /// <summary>
    /// The time for one protocol: short enough that all protocols can be tried within the attempt, long enough for a held poll.
    /// </summary>
    private TimeSpan ShareOfTime()
    {
        var share = _options.ConnectTimeout / (_options.Order.Count + 1);
        return share < _options.AttemptTimeout ? share : _options.AttemptTimeout;
    }

    private void Take(AutoConnection connection)
    {
        if (_last?.Protocol != connection.Protocol)
        {
            _silentLosses = 0;
        }

        _preferred = connection.Protocol;
        Volatile.Write(ref _last, connection);
        AutoLog.ConnectedBy(_logger, Id, connection.Protocol);
        Activity.Current?.SetTag("perennial.protocol", connection.Protocol);
    }

    /// <summary>Examines how the last connection ended. If it ended without a byte, the protocol may not get through.</summary>
    private void Judge(AutoConnection? last)
    {
        if (last?.HasBytes == true)
        {
            _silentLosses = 0;
        }

        if (last?.TakeFailure() is not { } failure)
        {
            return;
        }

        if (failure.Reason == FallbackReason.Lost && ++_silentLosses < (failure.Protocol == _proven ? MostLossesOfProven : MostSilentLosses))
        {
            return;
        }

        (_passedOver, _preferred, _silentLosses) = (failure, null, 0);
        Note(failure);
    }

    private void Note(ProtocolFailure failure)
    {
        if (_memoryKey is not null && failure.Reason != FallbackReason.CannotResume)
        {
            _memory.Forget(_memoryKey, failure.Protocol);
        }

        AutoLog.ProtocolFailed(_logger, Id, failure.Protocol, failure.Reason, failure.Error.Code, (int?)failure.Error.HttpStatus);
    }

    /// <summary>
    /// Handles the first bytes: the protocol gets through. It is remembered for other transports, unless a WebSocket was skipped only
    /// because it cannot resume: other transports start at the beginning of their stream and may use that WebSocket.
    /// </summary>
    private void OnFirstBytes(AutoProtocol protocol)
    {
        (_passedOver, _proven, _lostTrials) = (null, protocol, 0);
        if (_memoryKey is not null && !_failures.Any(static failure => failure.Reason == FallbackReason.CannotResume))
        {
            _memory.Remember(_memoryKey, protocol);
        }
    }
}
