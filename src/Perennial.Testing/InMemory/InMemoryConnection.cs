using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;

namespace Perennial.Testing;

/// <summary>
/// One connection of an <see cref="InMemoryTransport"/>. Each call of <see cref="Say(ReadOnlySpan{string})"/>, <see cref="Finish"/> or
/// <see cref="Break(bool)"/> is what one read yields, in the order of the calls; a read waits while there is none. Thread safe.
/// </summary>
public sealed class InMemoryConnection : TransportConnection
{
    private readonly Channel<Func<MessageBatch, ReadOutcome>> _script = Channel.CreateUnbounded<Func<MessageBatch, ReadOutcome>>();
    private readonly ConcurrentQueue<OutgoingMessage> _sends = new();
    private int _reads;
    private int _disposals;

    /// <summary>
    /// Gets the attempt that this connection was opened for. Its <see cref="ConnectContext.LastEventId"/> is the id to go on after.
    /// </summary>
    public ConnectContext Context { get; init; }

    /// <summary>
    /// Gets the largest message that may arrive: <see cref="TransportOptions.MaxMessageBytes"/> of the transport. Default: any.
    /// </summary>
    public int MaxMessageBytes { get; init; } = int.MaxValue;

    /// <summary>Gets how many reads have begun.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Gets how many times the connection was disposed.</summary>
    public int Disposals => Volatile.Read(ref _disposals);

    /// <summary>
    /// Gets the messages that were sent over the connection while <see cref="OnSend"/> was <see langword="null"/>, the first one first.
    /// </summary>
    public IReadOnlyList<OutgoingMessage> Sends => [.. _sends];

    /// <summary>
    /// Gets or sets what becomes of a sent message. It may wait, or throw. Default <see langword="null"/>: each is kept in
    /// <see cref="Sends"/> and acknowledged.
    /// </summary>
    public Func<OutgoingMessage, CancellationToken, ValueTask<SendOutcome>>? OnSend { get; set; }

    /// <summary>Gets or sets the answer to a request to stop. It may wait, or throw. Default: the stream ends as stopped.</summary>
    public Func<CancellationToken, ValueTask>? OnStop { get; set; }

    /// <summary>Gets or sets what closing the connection waits for. Default: nothing.</summary>
    public Func<ValueTask> OnDispose { get; set; } = static () => ValueTask.CompletedTask;

    /// <summary>
    /// Gets or sets what a message means whose event type is neither <c>stopped</c> nor <c>failed</c>. Default: an ordinary message.
    /// </summary>
    public StreamSignal Signal { get; set; }

    /// <summary>Adds text messages that arrive together. Each text is its message's id, too.</summary>
    /// <param name="texts">The payloads.</param>
    public InMemoryConnection Say(params ReadOnlySpan<string> texts)
    {
        var messages = new StreamMessage[texts.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            messages[i] = StreamMessage.FromText(texts[i], texts[i]);
        }

        return Say((ReadOnlySpan<StreamMessage>)messages);
    }

    /// <summary>
    /// Adds messages that arrive together, with their own ids and event types. One whose event type is <c>stopped</c> or <c>failed</c> ends
    /// the stream so.
    /// </summary>
    /// <param name="messages">The messages, such as <see cref="StreamMessage.FromText"/> makes.</param>
    public InMemoryConnection Say(params ReadOnlySpan<StreamMessage> messages)
    {
        StreamMessage[] kept = [.. messages];
        return Script(batch =>
        {
            foreach (ref readonly var message in kept.AsSpan())
            {
                if (message.Data.Length > MaxMessageBytes)
                {
                    throw new TransportException(
                        TransportErrorCode.MessageTooLarge, $"A message is larger than MaxMessageBytes ({MaxMessageBytes} bytes).");
                }

                batch.Add(
                    message.Data.Span,
                    message.Id is { } id ? Encoding.UTF8.GetBytes(id) : default,
                    message.EventType is StreamMessage.DefaultEventType ? null : message.EventType,
                    message.IsBinary);
                batch.BytesReceived += message.Data.Length;
            }

            return ReadOutcome.More;
        });
    }

    /// <summary>Ends the connection in good order.</summary>
    /// <param name="outcome">What the end says. By default <see cref="TransportOptions.EndOfStream"/> decides what it means.</param>
    public void Finish(ReadOutcome outcome = ReadOutcome.EndOfStream) => Script(_ => outcome);

    /// <summary>Breaks the connection.</summary>
    /// <param name="isTransient">Whether another attempt may succeed.</param>
    public void Break(bool isTransient = true) =>
        Break(new TransportException(TransportErrorCode.ConnectionLost, "Broken by the test.", isTransient));

    /// <summary>Breaks the connection with an error.</summary>
    /// <param name="error">What the read throws.</param>
    public void Break(TransportException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        Script(_ => throw error);
    }

    /// <summary>Adds what one read does: it may add to the batch, throw, and say whether the stream goes on.</summary>
    /// <param name="read">Called once, by the read.</param>
    public InMemoryConnection Script(Func<MessageBatch, ReadOutcome> read)
    {
        _script.Writer.TryWrite(read);
        return this;
    }

    /// <inheritdoc/>
    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return (await _script.Reader.ReadAsync(cancellationToken).ConfigureAwait(false))(batch);
    }

    /// <inheritdoc/>
    public override StreamSignal Classify(in StreamMessage message) => message.EventType switch
    {
        "stopped" => StreamSignal.Stopped,
        "failed" => StreamSignal.Failed,
        _ => Signal,
    };

    /// <inheritdoc/>
    public override ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        if (OnSend is { } onSend)
        {
            return onSend(message, cancellationToken);
        }

        _sends.Enqueue(message);
        return new ValueTask<SendOutcome>(SendOutcome.Acknowledged);
    }

    /// <inheritdoc/>
    public override ValueTask StopAsync(CancellationToken cancellationToken)
    {
        if (OnStop is { } onStop)
        {
            return onStop(cancellationToken);
        }

        Finish(ReadOutcome.Stopped);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Interlocked.Increment(ref _disposals);
        return OnDispose();
    }
}
