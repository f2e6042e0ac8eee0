using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Perennial.Tests.Fixtures;

/// <summary>The options of a <see cref="MemoryTransport"/>.</summary>
internal sealed record MemoryTransportOptions : TransportOptions;

/// <summary>
/// A transport of our own protocol, as a user may write one, whose connections are in the hands of the test: for what is about the
/// life cycle, not about a wire. By default every attempt opens a <see cref="MemoryConnection"/>.
/// </summary>
internal sealed class MemoryTransport : Transport
{
    private readonly Func<MemoryTransport, ConnectContext, CancellationToken, ValueTask<TransportConnection>> _open;
    private readonly ConcurrentQueue<MemoryConnection> _connections = new();
    private int _attempts;

    public MemoryTransport(
        MemoryTransportOptions? options = null,
        TransportServices? services = null,
        Func<MemoryTransport, ConnectContext, CancellationToken, ValueTask<TransportConnection>>? open = null,
        string kind = "memory")
        : base(kind, options ?? new MemoryTransportOptions { Endpoint = new Uri("http://memory.test/") }, services)
    {
        _open = open ?? (static (transport, _, _) => new ValueTask<TransportConnection>(transport.NewConnection()));
    }

    public static MemoryTransportOptions Options { get; } = new() { Endpoint = new Uri("http://memory.test/") };

    public int Attempts => Volatile.Read(ref _attempts);

    public IReadOnlyList<MemoryConnection> Connections => [.. _connections];

    /// <summary>The connection opened last.</summary>
    public MemoryConnection Connection => Connections[^1];

    public bool IsCoreDisposed { get; private set; }

    public MemoryConnection NewConnection()
    {
        var connection = new MemoryConnection();
        _connections.Enqueue(connection);
        return connection;
    }

    protected override ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _attempts);
        return _open(this, context, cancellationToken);
    }

    protected override ValueTask DisposeCoreAsync()
    {
        IsCoreDisposed = true;
        return base.DisposeCoreAsync();
    }
}

/// <summary>One connection that yields what the test says, one saying a read.</summary>
internal sealed class MemoryConnection : TransportConnection
{
    private readonly Channel<Func<MessageBatch, ReadOutcome>> _script = Channel.CreateUnbounded<Func<MessageBatch, ReadOutcome>>();
    private int _reads;
    private int _disposals;

    /// <summary>Reads begun.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public int Disposals => Volatile.Read(ref _disposals);

    public Func<OutgoingMessage, CancellationToken, ValueTask<SendOutcome>> OnSend { get; set; } =
        static (_, _) => new ValueTask<SendOutcome>(SendOutcome.Acknowledged);

    public Func<ValueTask> OnDispose { get; set; } = static () => ValueTask.CompletedTask;

    public StreamSignal Signal { get; set; }

    /// <summary>Messages that arrive together. A text "7" has the id "7".</summary>
    public MemoryConnection Say(params string[] texts)
    {
        Script(batch =>
        {
            foreach (var text in texts)
            {
                batch.Add(System.Text.Encoding.UTF8.GetBytes(text), System.Text.Encoding.UTF8.GetBytes(text));
                batch.BytesReceived += text.Length;
            }

            return ReadOutcome.More;
        });
        return this;
    }

    public void Finish() => Script(static _ => ReadOutcome.EndOfStream);

    public void Break(bool isTransient = true) =>
        Script(_ => throw new TransportException(TransportErrorCode.ConnectionLost, "Broken by the test.", isTransient));

    public void Script(Func<MessageBatch, ReadOutcome> read) => _script.Writer.TryWrite(read);

    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return (await _script.Reader.ReadAsync(cancellationToken))(batch);
    }

    public override StreamSignal Classify(in StreamMessage message) => message.EventType switch
    {
        "stopped" => StreamSignal.Stopped,
        "failed" => StreamSignal.Failed,
        _ => Signal,
    };

    public override ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken) => OnSend(message, cancellationToken);

    public override ValueTask DisposeAsync()
    {
        Interlocked.Increment(ref _disposals);
        return OnDispose();
    }
}
