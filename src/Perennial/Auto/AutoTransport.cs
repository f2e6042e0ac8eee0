using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Auto;

/// <summary>
/// One stream by whichever protocol gets through: WebSocket, SSE, JSON lines, long polling, in this order or another. The resume point is
/// one for all, so that a change of protocol in mid-stream loses nothing and repeats nothing where the server numbers its messages.
/// Thread safe as <see cref="Transport"/> says.
/// </summary>
/// <remarks>
/// <para>
/// Another protocol is tried, within the same attempt to connect, where one is refused, breaks off, is answered by something else, or
/// is accepted and then silent although the server promised to speak (docs/protocol.md): a proxy on the way holds it back. An answer that
/// holds for every protocol is the answer: a host that cannot be reached, TLS, 401, and what a plain request is told about the resource.
/// A server that promises nothing may be silent as long as it likes. A protocol that was accepted twice in a row and lost before a
/// byte came is passed over in the next attempt.
/// </para>
/// <para>
/// What got through is tried first when the connection is lost, and by the next transport to the same origin
/// (<see cref="AutoTransportOptions.ProtocolMemory"/>). A request with side effects is made once, and accepts SSE and JSON lines alike; it
/// takes no WebSocket. A WebSocket without <c>perennial.v1</c> is passed over unless <see cref="AutoWebSocketOptions.AllowPlain"/> is set;
/// it carries no ids, and is then used from the start of a stream, and never to resume.
/// </para>
/// </remarks>
public sealed class AutoTransport : Transport
{
    /// <summary>Connections lost before their first byte, one after the other, by which a protocol is passed over.</summary>
    private const int MostUnheard = 2;

    private readonly AutoTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ProtocolMemory _memory;
    private readonly ProtocolOpener _opener;
    private readonly string? _memoryKey;                    // none where not every protocol is tried: the finding would mislead others
    private AutoConnection? _last;                          // the connection opened last
    private AutoProtocol? _preferred;                       // what connected last; not where it is passed over
    private ProtocolFailure? _passedOver;                   // what was said against a protocol after it had connected
    private int _unheard;                                   // connections of the one protocol lost before their first byte
    private volatile IReadOnlyList<ProtocolFailure> _failures = [];

    /// <summary>Creates a transport with default options; connects nothing.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or of another scheme.</exception>
    public AutoTransport(Uri endpoint, TransportServices? services = null)
        : this(new AutoTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Checks the options; connects nothing.</summary>
    /// <param name="options">What this transport is told.</param>
    /// <param name="services">Clock, chance, logs, network and memory; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // new() means options
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

    /// <summary>The protocol of the present connection, or of the last one; <see langword="null"/> before the first.</summary>
    public AutoProtocol? Protocol => Volatile.Read(ref _last)?.Protocol;

    /// <summary>What was passed over, in order, by the last attempt to connect, whether or not it found a protocol.</summary>
    public IReadOnlyList<ProtocolFailure> PassedOver => _failures;

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
    /// What connected last comes first, or what got through for others, and what is asked for by the same request stays with it; what is
    /// passed over comes last.
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

    /// <summary>Tries what is next; no connection where others are left to try.</summary>
    /// <exception cref="TransportException">None are, or the answer is the same for all.</exception>
    private async ValueTask<AutoConnection?> TryAsync(ProtocolSearch search, ConnectContext context, CancellationToken cancellationToken)
    {
        var asked = search.Next();
        var trial = new ProtocolTrial(_opener, asked, _time, ShareOfTime(), BeHeard);
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

            foreach (var failure in search.PassOver(asked, trial.Chosen, reason.Value, e))
            {
                Note(failure);
            }

            _failures = [.. search.Failures];

            return search.HasMore ? null : throw search.Error(e);
        }
    }

    /// <summary>So much that all have their turn before the attempt is over, and a poll can be held.</summary>
    private TimeSpan ShareOfTime()
    {
        var share = _options.ConnectTimeout / (_options.Order.Count + 1);
        return share < _options.AttemptTimeout ? share : _options.AttemptTimeout;
    }

    private void Take(AutoConnection connection)
    {
        if (_last?.Protocol != connection.Protocol)
        {
            _unheard = 0;
        }

        _preferred = connection.Protocol;
        Volatile.Write(ref _last, connection);
        AutoLog.ConnectedBy(_logger, Id, connection.Protocol);
        Activity.Current?.SetTag("perennial.protocol", connection.Protocol);
    }

    /// <summary>Looks at how the last connection ended: without a byte, and so perhaps because its protocol does not get through.</summary>
    private void Judge(AutoConnection? last)
    {
        if (last?.IsHeard == true)
        {
            _unheard = 0;
        }

        if (last?.TakeComplaint() is not { } complaint)
        {
            return;
        }

        if (complaint.Reason == FallbackReason.Lost && ++_unheard < MostUnheard)
        {
            return;
        }

        (_passedOver, _preferred, _unheard) = (complaint, null, 0);
        Note(complaint);
    }

    private void Note(ProtocolFailure failure)
    {
        if (_memoryKey is not null && failure.Reason != FallbackReason.CannotResume)
        {
            _memory.Forget(_memoryKey, failure.Protocol);
        }

        AutoLog.PassedOver(_logger, Id, failure.Protocol, failure.Reason, failure.Error.Code, (int?)failure.Error.HttpStatus);
    }

    /// <summary>The first bytes have come: the protocol gets through. Others start from the beginning, and may do so by a WebSocket that cannot resume.</summary>
    private void BeHeard(AutoProtocol protocol)
    {
        _passedOver = null;
        if (_memoryKey is not null && !_failures.Any(static failure => failure.Reason == FallbackReason.CannotResume))
        {
            _memory.Remember(_memoryKey, protocol);
        }
    }
}
