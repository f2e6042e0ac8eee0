using System.Security.Cryptography;
using System.Text;
using Perennial.Diagnostics;
using Perennial.Requests;

namespace Perennial.Engine;

/// <summary>
/// The requests of one transport that wait for replies, and for a while those that wait no longer. The pump asks it about each message
/// while there are any; the ids of one transport begin alike, so that one search answers for all of them.
/// </summary>
internal sealed class RequestTable
{
    /// <summary>After so much silence nothing late is expected any more.</summary>
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
    private readonly Queue<string> _left = new();   // those whose caller waits no longer, the oldest first
    private int _outstanding;
    private long _lastHeard;                        // when a caller left or a late reply came
    private int _lostBefore;                        // replies to what was sent over earlier connections may be lost
    private bool _isExpecting;

    /// <param name="rules">How many requests may wait.</param>
    /// <param name="metrics">Counts replies that come too late.</param>
    /// <param name="time">The clock.</param>
    public RequestTable(SendOptions rules, MetricsRecorder metrics, TimeProvider time)
    {
        (_rules, _metrics, _time) = (rules, metrics, time);
        _quotedPrefix = Encoding.ASCII.GetBytes($"\"{_prefix}");
    }

    /// <summary>Requests whose caller waits.</summary>
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

    /// <summary>Expects replies to a request that is about to be sent.</summary>
    /// <exception cref="TransportException">There are as many as there may be.</exception>
    public PendingRequest Add(string id, OutgoingMessage message, RequestOptions options, bool isSingle, TransportSession session)
    {
        var takeBack = new CancellationTokenSource();
        var send = new OutgoingSend(message, session, takeBack.Token);
        lock (_gate)
        {
            var most = _rules.MaxOutstandingRequests;
            if (_outstanding >= most)
            {
                throw new TransportException(
                    TransportErrorCode.TooManyRequests, $"{most} requests wait for replies; Send.{nameof(SendOptions.MaxOutstandingRequests)} allows no more.")
                {
                    Delivery = DeliveryStatus.NotSent,
                };
            }

            var request = new PendingRequest(id, send, takeBack, options, isSingle, this, _time);
            _expected.Add(id, new Expected(options.Convention.Read, request));
            _outstanding++;
            Volatile.Write(ref _isExpecting, true);
            return request;
        }
    }

    /// <summary>Whether a message that came at this time may be a reply.</summary>
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
                _left.Clear();
                Volatile.Write(ref _isExpecting, false);
            }

            return _isExpecting;
        }
    }

    /// <summary>What a message answers, or <see langword="null"/> where it is an ordinary one.</summary>
    public FoundReply? Find(in StreamMessage message)
    {
        var at = message.Bytes.IndexOf(_quotedPrefix);
        return at < 0 || message.IsMalformed ? null : Read(in message, at);
    }

    /// <summary>Hands a reply over to its request, waiting for room. One that nobody waits for is dropped and counted.</summary>
    public async ValueTask GiveAsync(FoundReply found, CancellationToken cancellationToken)
    {
        var isTaken = found.Request is { } request && await request.AcceptAsync(found.Reply, found.Message, cancellationToken).ConfigureAwait(false);
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

    /// <summary>A reply is dropped, because nobody waits for it any more.</summary>
    public void CountLate() => _metrics.LateReply();

    /// <summary>A request's caller waits no longer. Its id is kept for what may still come, unless it never left.</summary>
    public void Leave(PendingRequest request)
    {
        lock (_gate)
        {
            if (!_expected.TryGetValue(request.Id, out var expected) || expected.Request is null)
            {
                return;
            }

            _outstanding--;
            if (request.Send.LeftOver == 0)
            {
                _expected.Remove(request.Id);
                return;
            }

            _expected[request.Id] = expected with { Request = null };
            _lastHeard = _time.GetTimestamp();
            _left.Enqueue(request.Id);
            if (_left.Count > MostRemembered)
            {
                _expected.Remove(_left.Dequeue());
            }
        }
    }

    /// <summary>Whether replies to a request that has left may be lost already.</summary>
    public bool HasLostRepliesTo(PendingRequest request)
    {
        lock (_gate)
        {
            return request.Send.LeftOver < _lostBefore;
        }
    }

    /// <summary>What came between an earlier connection and this one may be lost: requests that left before it fail.</summary>
    public void LoseRepliesBefore(int connection) => Fail(
        (request, table) => request.Send.Fate.IsCompletedSuccessfully && request.Send.LeftOver < table._lostBefore,
        static request => request.FailAsLost(),
        () => _lostBefore = connection);

    /// <summary>The session ended, and with it every request in it.</summary>
    public void End(TransportSession session, StreamEnd end) => Fail(
        (request, _) => request.Send.Session == session, request => request.FailAsEnded(end));

    private void Fail(Func<PendingRequest, RequestTable, bool> isConcerned, Action<PendingRequest> fail, Action? before = null)
    {
        List<PendingRequest> concerned = [];
        lock (_gate)
        {
            before?.Invoke();
            concerned.AddRange(_expected.Values.Select(static each => each.Request).OfType<PendingRequest>().Where(each => isConcerned(each, this)));
        }

        concerned.ForEach(fail);
    }

    /// <summary>Every place where an id may stand is tried, but no convention twice: a message may quote the ids of others.</summary>
    private FoundReply? Read(in StreamMessage message, int at)
    {
        ReplyReader? tried = null;
        for (var rest = message.Bytes[at..]; ; rest = rest[(1 + at)..])
        {
            if (ExpectedAt(rest) is { } here && here.Read != tried)
            {
                tried = here.Read;
                if (tried(in message, out var reply) && Look(reply.Id) is { } expected)
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
        quotedId.Length > 2 * HalfOfId + 1 && quotedId[2 * HalfOfId + 1] == '"' ? Look(Encoding.ASCII.GetString(quotedId[1..(2 * HalfOfId + 1)])) : null;

    private Expected? Look(string id)
    {
        lock (_gate)
        {
            return _expected.TryGetValue(id, out var expected) ? expected : null;
        }
    }

    private readonly record struct Expected(ReplyReader Read, PendingRequest? Request);
}

/// <summary>A message that is a reply.</summary>
/// <param name="Request">What it answers; <see langword="null"/> where nobody waits for it any more.</param>
/// <param name="Reply">What the convention reads in it.</param>
/// <param name="Message">The message.</param>
internal readonly record struct FoundReply(PendingRequest? Request, ReplyContent Reply, StreamMessage Message);
