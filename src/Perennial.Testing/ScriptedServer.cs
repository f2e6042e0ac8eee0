using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Perennial.Testing;

/// <summary>
/// A server on 127.0.0.1 whose every byte is written by the test: HTTP/1.1 responses cut short, malformed, stalled or perfect, or raw TCP.
/// Requests are parsed (keep-alive, Content-Length and chunked bodies) and recorded; scripts of different connections run concurrently.
/// All members are thread-safe.
/// </summary>
/// <remarks>
/// A script need not care about clients that go away: what its reads and writes throw then is swallowed, and so is cancellation once the
/// server is being disposed. Anything else it throws, a failed assertion above all, resets the connection, is kept in
/// <see cref="Errors"/> and thrown by <see cref="DisposeAsync"/>, so that it fails the test.
/// </remarks>
/// <example>
/// <code>
/// await using var server = ScriptedServer.Start(
///     async exchange =>                                              // the first request: two events, then the line drops
///     {
///         await exchange.StartEventStreamAsync();
///         await exchange.WriteChunkAsync("id: 1\ndata: a\n\nid: 2\ndata: b\n\n");
///         await exchange.ResetAsync();
///     },
///     exchange => exchange.RespondAsync(204));                       // every later request
/// …
/// server.Requests[1].Header("Last-Event-ID").ShouldBe("2");
/// </code>
/// </example>
public sealed class ScriptedServer : IAsyncDisposable
{
    private static readonly TimeSpan ScriptGrace = TimeSpan.FromSeconds(10);

    private readonly Func<ScriptedServer, ScriptedConnection, Task> _serve;
    private readonly LoopbackListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CollectedErrors _errors = new();
    private readonly AsyncCondition _requestArrived = new();
    private readonly Lock _gate = new();
    private ImmutableList<RecordedRequest> _requests = [];   // written by Record only
    private int _disposed;

    private ScriptedServer(Func<ScriptedServer, ScriptedConnection, Task> serve)
    {
        _serve = serve;
        _listener = new LoopbackListener(Admit);
        Address = new Uri($"http://127.0.0.1:{_listener.EndPoint.Port}/");
    }

    /// <summary>Where clients connect, on a port the system chose.</summary>
    public Uri Address { get; }

    /// <summary>The requests that have arrived so far, over all connections, in the order their bodies were complete.</summary>
    public IReadOnlyList<RecordedRequest> Requests => Volatile.Read(ref _requests);

    /// <summary>How many connections were accepted.</summary>
    public int Connections => _listener.Accepted;

    /// <summary>How many connections are open now.</summary>
    public int LiveConnections => _listener.Live;

    /// <summary>What scripts have thrown, other than because a client went away.</summary>
    public IReadOnlyList<Exception> Errors => _errors.All;

    /// <summary>Starts a server that runs one script per HTTP/1.1 request.</summary>
    /// <param name="scripts">The first request gets the first script, and so on, over all connections; the last script repeats.</param>
    /// <exception cref="ArgumentException">There are no scripts.</exception>
    public static ScriptedServer Start(params Func<ScriptedExchange, Task>[] scripts)
    {
        ThrowIfNoScripts(scripts);
        return new ScriptedServer((server, connection) => server.ServeHttpAsync(connection, scripts));
    }

    /// <summary>
    /// Starts a server that runs one script per TCP connection and reads nothing by itself: for servers that answer nothing, or garbage, or
    /// another protocol. When the script returns, the connection is closed.
    /// </summary>
    /// <param name="scripts">The first connection gets the first script, and so on; the last script repeats.</param>
    /// <exception cref="ArgumentException">There are no scripts.</exception>
    public static ScriptedServer StartRaw(params Func<ScriptedConnection, Task>[] scripts)
    {
        ThrowIfNoScripts(scripts);
        return new ScriptedServer((_, connection) => Pick(scripts, connection.Index)(connection));
    }

    /// <summary>Completes with the requests when at least <paramref name="count"/> have arrived since the start.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<IReadOnlyList<RecordedRequest>> WaitForRequestsAsync(int count, CancellationToken cancellationToken = default)
    {
        await _requestArrived.WaitAsync(() => Requests.Count >= count, cancellationToken).ConfigureAwait(false);
        return Requests;
    }

    /// <summary>Completes when <paramref name="count"/> connections have been accepted since the start.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForConnectionsAsync(int count, CancellationToken cancellationToken = default) =>
        _listener.WaitForAcceptedAsync(count, cancellationToken);

    /// <summary>Completes when no connection is open.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    internal Task WaitForIdleAsync(CancellationToken cancellationToken) => _listener.WaitForIdleAsync(cancellationToken);

    /// <summary>
    /// Resets the open connections, cancels <see cref="ScriptedConnection.Stopping"/>, waits for the scripts and frees the port. Throws
    /// what scripts have thrown: a single error as it was, several as an <see cref="AggregateException"/>. A second call does nothing.
    /// </summary>
    /// <exception cref="TimeoutException">A script still runs ten seconds later: it waits for something that never comes.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        await _listener.StopAcceptingAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _listener.DisposeAsync().AsTask().WaitAsync(ScriptGrace, TimeProvider.System).ConfigureAwait(false);
        _stopping.Dispose();
        _errors.ThrowIfAny();
    }

    private Func<Task> Admit(Socket socket, int index)
    {
        var connection = new ScriptedConnection(socket, index, _stopping.Token);
        return () => ServeAsync(connection);
    }

    private async Task ServeAsync(ScriptedConnection connection)
    {
        using var resetOnStop = connection.Stopping.Register(connection.Reset);
        try
        {
            await _serve(this, connection).ConfigureAwait(false);
            connection.End(CutMode.Close);
        }
        catch (Exception e)
        {
            if (!IsExpected(e))
            {
                _errors.Add(e);
            }

            connection.Reset();
        }
    }

    private async Task ServeHttpAsync(ScriptedConnection connection, Func<ScriptedExchange, Task>[] scripts)
    {
        var input = PipeReader.Create(connection.Stream);
        try
        {
            var reader = new RequestReader(input, connection.Index);
            while (!connection.IsOver && await reader.ReadAsync(connection.Stopping).ConfigureAwait(false) is { } arrived)
            {
                var request = Record(arrived);
                await Pick(scripts, request.RequestIndex)(new ScriptedExchange(request, connection, input)).ConfigureAwait(false);
                if (request.Headers["Connection"].Contains("close", StringComparer.OrdinalIgnoreCase))
                {
                    return;
                }
            }
        }
        finally
        {
            await input.CompleteAsync().ConfigureAwait(false);
        }
    }

    private RecordedRequest Record(RecordedRequest request)
    {
        lock (_gate)
        {
            request = request with { RequestIndex = _requests.Count };
            _requests = _requests.Add(request);
        }
        _requestArrived.Changed();
        return request;
    }

    private bool IsExpected(Exception e) => e switch
    {
        EndOfStreamException or IOException { InnerException: SocketException } => true,
        OperationCanceledException or ObjectDisposedException or IOException { InnerException: ObjectDisposedException } =>
            _stopping.IsCancellationRequested,
        _ => false,
    };

    private static T Pick<T>(T[] scripts, int index) => scripts[Math.Min(index, scripts.Length - 1)];

    private static void ThrowIfNoScripts<T>(T[] scripts)
    {
        ArgumentNullException.ThrowIfNull(scripts);
        if (scripts.Length == 0)
        {
            throw new ArgumentException("There must be at least one script.", nameof(scripts));
        }
    }
}
