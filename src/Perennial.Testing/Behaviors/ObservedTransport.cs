namespace Perennial.Testing;

/// <summary>A transport and, in order, everything that it announces. Thread safe.</summary>
internal sealed class ObservedTransport : IAsyncDisposable
{
    private readonly BehaviorRun _run;
    private readonly Lock _gate = new();
    private readonly List<object> _events = [];
    private int _inside;
    private volatile bool _hasOverlapped;

    public ObservedTransport(BehaviorRun run, Transport transport)
    {
        (_run, Transport) = (run, transport);
        transport.Connecting += Note;
        transport.Connected += Note;
        transport.Reconnecting += Note;
        transport.ErrorOccurred += Note;
        transport.GapDetected += Note;
        transport.Backpressure += Note;
        transport.Completed += Note;
        transport.Closed += Note;
    }

    public Transport Transport { get; }

    /// <summary>Whether two handlers ran at a time.</summary>
    public bool HasOverlapped => _hasOverlapped;

    public IReadOnlyList<object> Events
    {
        get
        {
            lock (_gate)
            {
                return [.. _events];
            }
        }
    }

    /// <summary>Messages are consumed by events from now on, and noted among them.</summary>
    public void NoteMessages() => Transport.MessageReceived += Note;

    public IReadOnlyList<T> All<T>() => [.. Events.OfType<T>()];

    /// <summary>Waits for the event of this type and number, from 1.</summary>
    public async Task<T> WaitForAsync<T>(int number = 1)
    {
        await _run.UntilAsync(() => All<T>().Count >= number, $"{typeof(T).Name} number {BehaviorRun.Text(number)} is raised");
        return All<T>()[number - 1];
    }

    /// <summary>Reads so many messages; the transport stays as it is.</summary>
    public async Task<IReadOnlyList<StreamMessage>> ReadAsync(int count)
    {
        List<StreamMessage> messages = [];
        await ReadSoonAsync(messages, () => messages.Count == count, $"{BehaviorRun.Text(count)} messages are read");
        BehaviorRun.Require(
            messages.Count == count, $"The stream ended after {BehaviorRun.Text(messages.Count)} of {BehaviorRun.Text(count)} messages.");
        return messages;
    }

    public async Task<IReadOnlyList<string>> ReadTextsAsync(int count) => Texts(await ReadAsync(count));

    /// <summary>Reads up to and with a text; the transport stays as it is.</summary>
    public async Task<IReadOnlyList<StreamMessage>> ReadThroughAsync(string text)
    {
        List<StreamMessage> messages = [];
        await ReadSoonAsync(messages, () => string.Equals(messages[^1].Text, text, StringComparison.Ordinal), $"message {text} is read");
        return messages;
    }

    /// <summary>Reads to the end of the stream.</summary>
    public async Task<IReadOnlyList<string>> ReadToEndAsync()
    {
        List<StreamMessage> messages = [];
        await ReadSoonAsync(messages, static () => false, "the stream is read to its end");
        return Texts(messages);
    }

    /// <summary>Reads until the stream fails, and returns why.</summary>
    public Task<TransportException> ReadToFailureAsync() =>
        _run.FailsAsync<TransportException>(ReadUntilAsync([], static () => false), "Reading the stream");

    public Task<StreamEnd> EndAsync() => _run.SoonAsync(Transport.Completion, "the stream ends");

    public Task UntilStateAsync(TransportState state) => _run.UntilAsync(() => Transport.State == state, $"the transport is {state}");

    /// <summary>
    /// Cuts the connection until the transport notices, and waits until it raises another event of a type. Some cuts go unnoticed, such as
    /// that of a connection between two polls.
    /// </summary>
    public async Task LoseConnectionAsync<T>(CutMode how)
    {
        var before = All<T>().Count;
        var attempts = Transport.GetMetrics().ReconnectAttempts;
        await _run.UntilAsync(
            () => All<T>().Count > before,
            $"{typeof(T).Name} is raised after a cut ({how})",
            () =>
            {
                if (Transport.IsConnected && Transport.GetMetrics().ReconnectAttempts == attempts)
                {
                    _run.Harness.CutAll(how);
                }
            });
    }

    public ValueTask DisposeAsync() => Transport.DisposeAsync();

    private static IReadOnlyList<string> Texts(IReadOnlyList<StreamMessage> messages) =>
        [.. messages.Select(static message => message.Text)];

    /// <summary>Reads within the time there is, and says what was read where that was too little.</summary>
    private async Task ReadSoonAsync(List<StreamMessage> messages, Func<bool> isEnough, string what)
    {
        try
        {
            await _run.SoonAsync(ReadUntilAsync(messages, isEnough), what);
        }
        catch (BehaviorException e)
        {
            StreamMessage[] read;
            lock (messages)
            {
                read = [.. messages];
            }

            var texts =
                string.Join(' ', read.TakeLast(20).Select(static message => message.Data.Length < 20 ? message.Text : message.ToString()));
            throw new BehaviorException($"{e.Message} Read so far: {(read.Length > 20 ? "… " : "")}{texts}.", e);
        }
    }

    private async Task ReadUntilAsync(List<StreamMessage> messages, Func<bool> isEnough)
    {
        await foreach (var message in Transport.ReadAllAsync(_run.Token))
        {
            lock (messages)
            {
                messages.Add(message);
            }

            if (isEnough())
            {
                break;
            }
        }
    }

    private void Note<T>(object? sender, T happened)
        where T : notnull
    {
        if (Interlocked.Increment(ref _inside) != 1)
        {
            _hasOverlapped = true;
        }

        lock (_gate)
        {
            _events.Add(happened);
        }

        Interlocked.Decrement(ref _inside);
    }
}
