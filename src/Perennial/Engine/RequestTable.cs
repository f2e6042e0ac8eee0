using System.Security.Cryptography;
using System.Text;
using Perennial.Diagnostics;
using Perennial.Requests;

namespace Perennial.Engine;

/// <summary>
/// The requests of one transport that wait for replies, and for some time also those that ended. While it is not empty, the pump looks up
/// each message here. The ids of one transport have a common prefix, so one search finds all of them.
/// </summary>
internal sealed class RequestTable
{
    /// <summary>The time without a late reply after which none is expected any more.</summary>
    public static readonly TimeSpan LateReplyLimit = TimeSpan.FromMinutes(5);

    private const string Letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int HalfOfId = 11;                // 65 random bits
    private const int MostRemembered = 1024;

    private readonly Lock _gate = new();
    private readonly SendOptions _rules;
    private readonly MetricsRecorder _metrics;
    private readonly TimeProvider _time;
    private readonly string _prefix = RandomNumberGenerator.GetString(Letters, HalfOfId);
    private readonly byte[] _quotedPrefix;
    private readonly Dictionary<string, Expected> _expected = new(StringComparer.Ordinal);
    private readonly Queue<string> _ended = new();   // ended requests, the oldest first
    private int _outstanding;
    private long _lastHeard;                        // when a request ended or a late reply arrived
    private int _lostBefore;                        // replies to requests sent on earlier connections may be lost
    private bool _isExpecting;

    /// <param name="rules">The largest number of requests.</param>
    /// <param name="metrics">Counts replies that arrive too late.</param>
    /// <param name="time">The clock.</param>
    public RequestTable(SendOptions rules, MetricsRecorder metrics, TimeProvider time)
    {
        (_rules, _metrics, _time) = (rules, metrics, time);
        _quotedPrefix = Encoding.ASCII.GetBytes($"\"{_prefix}");
    }

    /// <summary>The number of requests whose caller waits.</summary>
    public int Outstanding
    {
        get
        {
            lock (_gate)
            {
                return _outstanding;
            }
        }
    }

    public string NewId() => _prefix + RandomNumberGenerator.GetString(Letters, HalfOfId);

    /// <summary>Adds a request that is about to be sent, so that its replies are recognized.</summary>
    /// <exception cref="TransportException">The largest number of requests is reached.</exception>
    public PendingRequest Add(string id, OutgoingMessage message, RequestOptions options, bool isSingle, TransportSession session)
    {
        var sendCancellation = new CancellationTokenSource();
        var send = new OutgoingSend(message, session, sendCancellation.Token);
        lock (_gate)
        {
            var most = _rules.MaxOutstandingRequests;
            if (_outstanding >= most)
            {
                throw new TransportException(
                    TransportErrorCode.TooManyRequests,
                    $"{most} requests are waiting for replies, which is the limit of Send.{nameof(SendOptions.MaxOutstandingRequests)}.")
                {
                    Delivery = DeliveryStatus.NotSent,
                };
            }

            var request = new PendingRequest(id, send, sendCancellation, options, isSingle, this, _time);
            _expected.Add(id, new Expected(options.Convention.Read, request));
            _outstanding++;
            Volatile.Write(ref _isExpecting, true);
            return request;
        }
    }

    /// <summary>Whether a message that arrived at this time may be a reply.</summary>
    public bool IsExpecting(long now)
    {
        if (!Volatile.Read(ref _isExpecting))
        {
            return false;
        }

        lock (_gate)
        {
            if (_outstanding == 0 && (_expected.Count == 0 || _time.GetElapsedTime(_lastHeard, now) >= LateReplyLimit))
            {
                _expected.Clear();
                _ended.Clear();
                Volatile.Write(ref _isExpecting, false);
            }

            return _isExpecting;
        }
    }

    /// <summary>Finds the request that a message answers. <see langword="null"/> if the message is not a reply.</summary>
    public FoundReply? Find(in StreamMessage message)
    {
        var at = message.Bytes.IndexOf(_quotedPrefix);
        return at < 0 || message.IsMalformed ? null : Read(in message, at);
    }

    /// <summary>Delivers a reply to its request, and waits for room. A reply to an ended request is dropped and counted.</summary>
    public async ValueTask DeliverAsync(FoundReply found, CancellationToken cancellationToken)
    {
        var isTaken = found.Request is { } request
            && await request.AcceptAsync(found.Reply, found.Message, cancellationToken).ConfigureAwait(false);
        if (!isTaken)
        {
            CountLate();
        }

        lock (_gate)
        {
            _lastHeard = _time.GetTimestamp();
            if (found.Reply.IsLast && _expected.Remove(found.Reply.Id, out var expected) && expected.Request is not null)
            {
                _outstanding--;
            }
        }
    }

    /// <summary>Counts a reply that is dropped because its request has ended.</summary>
    public void CountLate() => _metrics.LateReply();

    /// <summary>Removes a request whose caller has finished. Its id is kept for late replies, unless the request never left.</summary>
    public void Remove(PendingRequest request)
    {
        lock (_gate)
        {
            if (!_expected.TryGetValue(request.Id, out var expected) || expected.Request is null)
            {
                return;
            }

            _outstanding--;
            if (request.Send.LastConnection == 0)
            {
                _expected.Remove(request.Id);
                return;
            }

            _expected[request.Id] = expected with { Request = null };
            _lastHeard = _time.GetTimestamp();
            _ended.Enqueue(request.Id);
            if (_ended.Count > MostRemembered)
            {
                _expected.Remove(_ended.Dequeue());
            }
        }
    }

    /// <summary>Whether replies to a request that has left may already be lost.</summary>
    public bool HasLostRepliesTo(PendingRequest request)
    {
        lock (_gate)
        {
            return request.Send.LastConnection < _lostBefore;
        }
    }

    /// <summary>
    /// Fails the requests that left before this connection, because replies between an earlier connection and this one may be lost.
    /// </summary>
    public void LoseRepliesBefore(int connection) => Fail(
        (request, table) => request.Send.Outcome.IsCompletedSuccessfully && request.Send.LastConnection < table._lostBefore,
        static request => request.FailAsLost(),
        () => _lostBefore = connection);

    /// <summary>Fails all requests of an ended session.</summary>
    public void End(TransportSession session, StreamEnd end) => Fail(
        (request, _) => request.Send.Session == session, request => request.FailAsEnded(end));

    private void Fail(Func<PendingRequest, RequestTable, bool> isConcerned, Action<PendingRequest> fail, Action? before = null)
    {
        List<PendingRequest> concerned = [];
        lock (_gate)
        {
            before?.Invoke();
            concerned.AddRange(
                _expected.Values.Select(static each => each.Request).OfType<PendingRequest>().Where(each => isConcerned(each, this)));
        }

        concerned.ForEach(fail);
    }

    /// <summary>
    /// Reads the message by the convention of each request whose id occurs in it, because a message may quote the ids of other requests. A
    /// convention that has just been tried is not tried again for the next id.
    /// </summary>
    private FoundReply? Read(in StreamMessage message, int at)
    {
        ReplyReader? tried = null;
        for (var rest = message.Bytes[at..]; ; rest = rest[(1 + at)..])
        {
            if (ExpectedAt(rest) is { } here && here.Read != tried)
            {
                tried = here.Read;
                if (tried(in message, out var reply) && FindExpected(reply.Id) is { } expected)
                {
                    return new FoundReply(expected.Request, reply, message);
                }
            }

            at = rest[1..].IndexOf(_quotedPrefix);
            if (at < 0)
            {
                return null;
            }
        }
    }

    private Expected? ExpectedAt(ReadOnlySpan<byte> quotedId) =>
        quotedId.Length > 2 * HalfOfId + 1 && quotedId[2 * HalfOfId + 1] == '"'
            ? FindExpected(Encoding.ASCII.GetString(quotedId[1..(2 * HalfOfId + 1)]))
            : null;

    private Expected? FindExpected(string id)
    {
        lock (_gate)
        {
            return _expected.TryGetValue(id, out var expected) ? expected : null;
        }
    }

    private readonly record struct Expected(ReplyReader Read, PendingRequest? Request);
}

/// <summary>A message that is a reply.</summary>
/// <param name="Request">The request it answers. <see langword="null"/> if that has ended.</param>
/// <param name="Reply">The content that the convention read from it.</param>
/// <param name="Message">The message.</param>
internal readonly record struct FoundReply(PendingRequest? Request, ReplyContent Reply, StreamMessage Message);
