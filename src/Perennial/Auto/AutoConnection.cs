using Perennial.Engine;

namespace Perennial.Auto;

/// <summary>
/// A connection of one of the protocols, observed until its first bytes arrive, because only bytes prove that the protocol gets through the
/// network. After that it only forwards calls to that connection.
/// </summary>
/// <param name="protocol">The protocol.</param>
/// <param name="inner">The connection.</param>
/// <param name="onHeard">Called once, when the first bytes arrive.</param>
internal sealed class AutoConnection(AutoProtocol protocol, TransportConnection inner, Action<AutoProtocol> onHeard) : TransportConnection
{
    private const int Won = 1;
    private const int GivenUp = 2;

    private readonly CancellationTokenSource _lifetime = new();     // cancels the inner connection, which keeps the token of its first read
    private CancellationTokenRegistration _leaving;
    private MessageBatch? _first;                                   // received before the transport began to read
    private ReadOutcome _firstOutcome;
    private TransportException? _fault;                             // detected before the transport began to read
    private ProtocolFailure? _failure;
    private int _isHeard;
    private int _trial;                                             // state of the trial: in progress, won by first bytes, or given up

    /// <summary>The protocol. If only the first bytes determine it, this is the requested protocol until they arrive.</summary>
    public AutoProtocol Protocol => ProtocolOpener.ProtocolOf(inner) ?? protocol;

    /// <summary>Whether any byte arrived, even if it was only the answer to a ping.</summary>
    public bool HasBytes => Volatile.Read(ref _isHeard) != 0 || HasShownLife;

    /// <summary>
    /// Whether the server speaks Perennial's protocol. Such a server marks the end of a stream, sends bytes at once, and resumes after any
    /// id.
    /// </summary>
    public bool SpeaksPerennial => inner.AlwaysMarksEnd;

    public override bool CanBeResumed => inner.CanBeResumed;

    public override TimeSpan? LongestSilence => inner.LongestSilence;

    public override bool AlwaysMarksEnd => inner.AlwaysMarksEnd;

    public override bool NeedsEndMarker => inner.NeedsEndMarker;

    public override Uri? GetResumeEndpoint(Uri endpoint) => inner.GetResumeEndpoint(endpoint);

    public override bool SendsAreRepeatable => inner.SendsAreRepeatable;

    public override bool NumbersSends => inner.NumbersSends;

    public override int MaxSendBytes => inner.MaxSendBytes;

    internal override bool HasMadeProgress => inner.HasMadeProgress;

    /// <summary>Returns, once, how the connection ended without a byte, if the protocol may be the cause.</summary>
    public ProtocolFailure? TakeFailure() => Interlocked.Exchange(ref _failure, null);

    /// <summary>
    /// Waits for the first bytes, and keeps them for the first read. Whichever comes first, the bytes or the cancellation, decides: after
    /// the first bytes, the token no longer has an effect.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait and closes the connection.</param>
    /// <exception cref="TransportException">The connection ended without a byte.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled before the first bytes.</exception>
    public async Task ListenAsync(CancellationToken cancellationToken)
    {
        var first = new MessageBatch();
        var leaving = cancellationToken.UnsafeRegister(static connection => ((AutoConnection)connection!).GiveUp(), this);
        await using (leaving.ConfigureAwait(false))
        {
            try
            {
                _firstOutcome = await inner.ReadAsync(first, _lifetime.Token).ConfigureAwait(false);
            }
            catch (TransportException e) when (!e.IsTransient && TryWin())
            {
                _fault = e;     // bytes did arrive, so the transport handles the error at its first read
            }
            catch (TransportException) when (Volatile.Read(ref _trial) == GivenUp)
            {
                throw new OperationCanceledException(cancellationToken);
            }
        }

        if (!TryWin())
        {
            throw new OperationCanceledException(cancellationToken);
        }

        if (_firstOutcome == ReadOutcome.EndOfStream && first.BytesReceived == 0)
        {
            throw EndedWithoutBytes();
        }

        _first = first;
        OnFirstBytes();
    }

    public override ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        if (_leaving == default)
        {
            _leaving = cancellationToken.UnsafeRegister(static lifetime => ((CancellationTokenSource)lifetime!).CancelQuietly(), _lifetime);
        }

        if (_fault is not null)
        {
            throw _fault;
        }

        if (_first is { } first)
        {
            first.MoveTo(batch);
            _first = null;
            return new ValueTask<ReadOutcome>(_firstOutcome);
        }

        return HasBytes ? inner.ReadAsync(batch, _lifetime.Token) : ReadFirstAsync(batch);
    }

    public override StreamSignal Classify(in StreamMessage message) => inner.Classify(in message);

    public override ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken) =>
        inner.SendAsync(message, cancellationToken);

    public override ValueTask StopAsync(CancellationToken cancellationToken) => inner.StopAsync(cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        _lifetime.CancelQuietly();
        await inner.DisposeAsync().ConfigureAwait(false);
        await _leaving.DisposeAsync().ConfigureAwait(false);
    }

    public override ValueTask WriteSenderAsync(string sender, long firstNumber, CancellationToken cancellationToken) =>
        inner.WriteSenderAsync(sender, firstNumber, cancellationToken);

    public override ValueTask WriteNumberedAsync(OutgoingMessage message, long number, CancellationToken cancellationToken) =>
        inner.WriteNumberedAsync(message, number, cancellationToken);

    public override ValueTask WaitUntilReadyToSendAsync(CancellationToken cancellationToken) =>
        inner.WaitUntilReadyToSendAsync(cancellationToken);

    internal override void Begin(IdleWatch idle, bool mayChangeLimit, ISendQueue sends)
    {
        base.Begin(idle, mayChangeLimit, sends);
        inner.Number = Number;
        inner.Begin(idle, mayChangeLimit, sends);
    }

    private async ValueTask<ReadOutcome> ReadFirstAsync(MessageBatch batch)
    {
        try
        {
            var outcome = await inner.ReadAsync(batch, _lifetime.Token).ConfigureAwait(false);
            if (outcome != ReadOutcome.EndOfStream || batch.BytesReceived > 0 || HasShownLife)
            {
                OnFirstBytes();
            }
            else if (inner.AlwaysMarksEnd)
            {
                _failure = new ProtocolFailure { Protocol = protocol, Reason = FallbackReason.Lost, Error = EndedWithoutBytes() };
            }

            return outcome;
        }
        catch (TransportException e) when (e.IsTransient && !HasBytes)
        {
            _failure = new ProtocolFailure { Protocol = protocol, Reason = FallbackReason.Lost, Error = e };
            throw;
        }
        catch (OperationCanceledException e) when (IsPeerUnresponsive && !HasBytes)
        {
            var silence = new TransportException(
                TransportErrorCode.IdleTimeout,
                $"The connection was accepted, but no byte arrived within {LongestSilence}.",
                isTransient: true,
                e);
            _failure = new ProtocolFailure { Protocol = protocol, Reason = FallbackReason.Silent, Error = silence };
            throw;
        }
    }

    private static TransportException EndedWithoutBytes() =>
        new(TransportErrorCode.ConnectionLost, "The response ended before its first byte.", isTransient: true);

    /// <summary>Closes the connection, unless its first bytes have arrived.</summary>
    private void GiveUp()
    {
        if (Interlocked.CompareExchange(ref _trial, GivenUp, 0) == 0)
        {
            _lifetime.CancelQuietly();
        }
    }

    private bool TryWin() => Interlocked.CompareExchange(ref _trial, Won, 0) != GivenUp;

    private void OnFirstBytes()
    {
        if (Interlocked.Exchange(ref _isHeard, 1) == 0)
        {
            onHeard(Protocol);
        }
    }
}
