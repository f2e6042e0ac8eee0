using System.Collections.Concurrent;
using System.Globalization;
using Perennial.Testing;

namespace Perennial.Transports.Tests.Harnesses;

/// <summary>The transport in memory, with a server that is a list.</summary>
public class InMemoryHarness : TransportHarness
{
    private readonly Lock _gate = new();
    private readonly List<string> _log = [];
    private readonly Dictionary<InMemoryConnection, bool> _standing = [];
    private readonly ConcurrentQueue<string> _sends = new();
    private Action<InMemoryConnection>? _end;       // how the stream ended, once it has
    private TaskCompletionSource? _silence;
    private volatile bool _refusing;

    public override TransportTraits Traits { get; } = new()
    {
        ResumesExactly = true,
        MarksEnd = true,
        TellsFailures = true,
        CanStop = true,
        Sends = SendPromise.Acknowledged,
    };

    public override int Connections
    {
        get
        {
            lock (_gate)
            {
                return _standing.Count;
            }
        }
    }

    public override bool Refusing
    {
        get => _refusing;
        set => _refusing = value;
    }

    public override bool Silent
    {
        get => _silence is not null;
        set
        {
            _silence?.TrySetResult();
            _silence = value ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
        }
    }

    public override IReadOnlyList<string> ReceivedSends => [.. _sends];

    public override Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override Transport CreateTransport(TransportSetup setup) => new InMemoryTransport(
        setup.ApplyTo(new InMemoryTransportOptions { EndOfStream = EndOfStream }), setup.Services, OpenAsync);

    public override Task WriteAsync(string text, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _log.Add(text);
            foreach (var connection in _standing.Keys)
            {
                Say(connection, _log.Count, text);
            }
        }

        return Task.CompletedTask;
    }

    public override Task CompleteAsync(CancellationToken cancellationToken) =>
        End(static connection => connection.Finish(ReadOutcome.Completed));

    public override Task FailAsync(CancellationToken cancellationToken) =>
        End(static connection => connection.Say(StreamMessage.FromText("{}", eventType: "failed")));

    public override int CutAll(CutMode how)
    {
        lock (_gate)
        {
            var cut = _standing.Keys.ToList();
            cut.ForEach(connection => Cut(connection, how));
            _standing.Clear();
            return cut.Count;
        }
    }

    public override ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    protected virtual EndOfStreamPolicy EndOfStream => EndOfStreamPolicy.RequireMarker;

    /// <summary>How many messages a reader has that names this id.</summary>
    protected virtual int PositionOf(string? lastEventId) => int.Parse(lastEventId ?? "0", CultureInfo.InvariantCulture);

    protected virtual void Say(InMemoryConnection connection, int position, string text) =>
        connection.Say(StreamMessage.FromText(text, position.ToString(CultureInfo.InvariantCulture)));

    protected virtual void Cut(InMemoryConnection connection, CutMode how)
    {
        if (how == CutMode.Close)
        {
            connection.Finish();
        }
        else
        {
            connection.Break();
        }
    }

    protected virtual void Take(string text) => _sends.Enqueue(text);

    protected virtual ValueTask CloseAsync(InMemoryConnection connection)
    {
        lock (_gate)
        {
            _standing.Remove(connection);
        }

        return ValueTask.CompletedTask;
    }

    protected virtual TransportException Refusal() => new(TransportErrorCode.ConnectFailed, "Refused by the test.", isTransient: true);

    private Task End(Action<InMemoryConnection> end)
    {
        lock (_gate)
        {
            _end = end;
            foreach (var connection in _standing.Keys)
            {
                end(connection);
            }
        }

        return Task.CompletedTask;
    }

    private async ValueTask<TransportConnection> OpenAsync(
        InMemoryTransport transport, ConnectContext context, CancellationToken cancellationToken)
    {
        if (_refusing)
        {
            throw Refusal();
        }

        await (_silence?.Task ?? Task.CompletedTask).WaitAsync(cancellationToken);
        lock (_gate)
        {
            var connection = transport.NewConnection(context);
            connection.OnSend = (message, _) => SendAsync(connection, message);
            connection.OnDispose = () => CloseAsync(connection);
            for (var i = PositionOf(context.LastEventId); i < _log.Count; i++)
            {
                Say(connection, i + 1, _log[i]);
            }

            _end?.Invoke(connection);
            _standing.Add(connection, true);
            return connection;
        }
    }

    private ValueTask<SendOutcome> SendAsync(InMemoryConnection connection, OutgoingMessage message)
    {
        lock (_gate)
        {
            if (!_standing.ContainsKey(connection))
            {
                throw new TransportException(
                    TransportErrorCode.ConnectionLost, "Cut by the test.", isTransient: true) { Delivery = DeliveryStatus.NotSent };
            }

            Take(System.Text.Encoding.UTF8.GetString(message.Data.Span));
            return new ValueTask<SendOutcome>(SendOutcome.Acknowledged);
        }
    }
}

/// <summary>The same without ids: a reader that was cut off misses what is said meanwhile.</summary>
public sealed class UnnumberedInMemoryHarness : InMemoryHarness
{
    public override TransportTraits Traits { get; } =
        new() { MarksEnd = true, TellsFailures = true, CanStop = true, Sends = SendPromise.Acknowledged };

    protected override int PositionOf(string? lastEventId) => int.MaxValue;

    protected override void Say(InMemoryConnection connection, int position, string text) => connection.Say(StreamMessage.FromText(text));
}
