using System.Collections.Concurrent;

namespace Perennial.Testing;

/// <summary>
/// A transport without a network, for tests of code that uses a <see cref="Transport"/>. The test decides what each connection reads, when
/// it breaks or ends, and what becomes of sent messages; retries, buffering, events and metrics are those of every transport. Thread safe.
/// </summary>
/// <example>
/// <code>
/// await using var transport = new InMemoryTransport(new InMemoryTransportOptions { Reconnect = new() { InitialDelay = TimeSpan.Zero } });
/// await transport.ConnectAsync();
/// transport.Connection.Say("1", "2").Break();         // the code under test reads two messages, and the connection is lost
/// await transport.WaitForConnectionsAsync(2);
/// transport.Connection.Say("3").Finish();             // it reads the third from the next connection, and the stream completes
/// </code>
/// </example>
public sealed class InMemoryTransport : Transport
{
    private readonly Func<InMemoryTransport, ConnectContext, CancellationToken, ValueTask<TransportConnection>> _open;
    private readonly int _maxMessageBytes;
    private readonly ConcurrentQueue<InMemoryConnection> _connections = new();
    private readonly AsyncCondition _opened = new();
    private volatile TransportException? _refusal;
    private volatile bool _isCoreDisposed;
    private int _attempts;

    /// <summary>Checks the options; opens nothing.</summary>
    /// <param name="options">Options; <see langword="null"/> uses the defaults.</param>
    /// <param name="services">Clock, random source and logging. Null uses the defaults.</param>
    /// <param name="open">
    /// Opens a connection for each attempt, or throws; <see langword="null"/> calls <see cref="NewConnection"/>. It can wait to keep the
    /// transport connecting, and return a <see cref="TransportConnection"/> of another type.
    /// </param>
    /// <param name="kind">The name in <see cref="Transport.Kind"/>.</param>
    /// <exception cref="ArgumentException">An option is malformed or out of range; the message names it.</exception>
    public InMemoryTransport(
        InMemoryTransportOptions? options = null,
        TransportServices? services = null,
        Func<InMemoryTransport, ConnectContext, CancellationToken, ValueTask<TransportConnection>>? open = null,
        string kind = "memory")
        : base(kind, options ??= new InMemoryTransportOptions(), services)
    {
        _open = open ?? (static (transport, context, _) => new ValueTask<TransportConnection>(transport.NewConnection(context)));
        _maxMessageBytes = options.MaxMessageBytes;
    }

    /// <summary>Gets how many times the transport tried to open a connection.</summary>
    public int Attempts => Volatile.Read(ref _attempts);

    /// <summary>Gets the connections that <see cref="NewConnection"/> made, the first one first.</summary>
    public IReadOnlyList<InMemoryConnection> Connections => [.. _connections];

    /// <summary>Gets the connection that was made last.</summary>
    /// <exception cref="InvalidOperationException">There is none yet.</exception>
    public InMemoryConnection Connection =>
        Connections is [.., var last]
            ? last
            : throw new InvalidOperationException("No connection was opened yet; wait for ConnectAsync or WaitForConnectionsAsync.");

    /// <summary>Gets or sets the error with which attempts to connect fail. Default <see langword="null"/>: they succeed.</summary>
    public TransportException? Refusal
    {
        get => _refusal;
        set => _refusal = value;
    }

    /// <summary>Gets whether the transport has freed what a subclass holds, which is the last step of its disposal.</summary>
    public bool IsCoreDisposed => _isCoreDisposed;

    /// <summary>Makes a connection and adds it to <see cref="Connections"/>.</summary>
    /// <param name="context">The attempt that it is made for.</param>
    public InMemoryConnection NewConnection(ConnectContext context = default)
    {
        var connection = new InMemoryConnection { Context = context, MaxMessageBytes = _maxMessageBytes };
        _connections.Enqueue(connection);
        _opened.Changed();
        return connection;
    }

    /// <summary>Completes when <paramref name="count"/> connections have been made since the start.</summary>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForConnectionsAsync(int count, CancellationToken cancellationToken = default) =>
        _opened.WaitAsync(() => _connections.Count >= count, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _attempts);
        return _refusal is { } refusal ? throw refusal : _open(this, context, cancellationToken);
    }

    /// <inheritdoc/>
    protected override ValueTask DisposeCoreAsync()
    {
        _isCoreDisposed = true;
        return base.DisposeCoreAsync();
    }
}
