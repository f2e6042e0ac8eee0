using Perennial.Sse;

namespace Perennial.Tests.Support;

/// <summary>A transport under test and, in order, everything it announces. Thread safe.</summary>
internal sealed class TransportProbe : IAsyncDisposable
{
    private static readonly TimeSpan HangLimit = TimeSpan.FromMinutes(3);

    private readonly Lock _gate = new();
    private readonly List<object> _events = [];
    private readonly CancellationTokenSource _guard =
        CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TransportProbe(SseTransportOptions options, TransportServices? services = null)
        : this(new SseTransport(options, services))
    {
    }

    public TransportProbe(Transport transport)
    {
        Transport = transport;
        _guard.CancelAfter(HangLimit);
        Transport.Connecting += Note;
        Transport.Connected += Note;
        Transport.Reconnecting += Note;
        Transport.ErrorOccurred += Note;
        Transport.GapDetected += Note;
        Transport.Completed += Note;
        Transport.Closed += Note;
    }

    public Transport Transport { get; }

    /// <summary>Reconnects at once, so that a test of something else than waiting does not wait.</summary>
    public static ReconnectOptions AtOnce { get; } = new() { InitialDelay = TimeSpan.Zero, Jitter = false };

    /// <summary>Waits that can be known in advance: 1 s, 2 s, 4 s and so on.</summary>
    public static ReconnectOptions WithoutJitter { get; } = new() { Jitter = false };

    /// <summary>Cancelled with the test, or when it hangs.</summary>
    public CancellationToken Token => _guard.Token;

    /// <summary>A probe that reconnects at once.</summary>
    public static TransportProbe For(Uri endpoint) => new(new SseTransportOptions { Endpoint = endpoint, Reconnect = AtOnce });

    /// <summary>The events of one type so far.</summary>
    public IReadOnlyList<T> All<T>()
    {
        lock (_gate)
        {
            return [.. _events.OfType<T>()];
        }
    }

    /// <summary>Completes with the event of this type and number, from 1.</summary>
    public async Task<T> WaitForAsync<T>(int number = 1)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_events.OfType<T>().ElementAtOrDefault(number - 1) is { } found)
                {
                    return found;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(Token);
        }
    }

    /// <summary>Reads to the end of the stream, and waits until all of it was announced.</summary>
    public async Task<List<StreamMessage>> ReadToEndAsync()
    {
        List<StreamMessage> messages = [];
        await foreach (var message in Transport.ReadAllAsync(Token))
        {
            messages.Add(message);
        }

        await WaitForAsync<ClosedEvent>();
        return messages;
    }

    /// <summary>The payloads, read to the end of the stream.</summary>
    public async Task<List<string>> ReadTextsAsync() => [.. (await ReadToEndAsync()).Select(message => message.Text)];

    /// <summary>The first messages; the transport stays connected.</summary>
    public async Task<List<string>> ReadTextsAsync(int count)
    {
        List<string> texts = [];
        await foreach (var message in Transport.ReadAllAsync(Token))
        {
            texts.Add(message.Text);
            if (texts.Count == count)
            {
                break;
            }
        }

        return texts;
    }

    /// <summary>Reads until the stream fails, and returns what came before and why.</summary>
    public async Task<(List<string> Texts, TransportException Error)> ReadToFailureAsync()
    {
        List<string> texts = [];
        var error = await Should.ThrowAsync<TransportException>(async () =>
        {
            await foreach (var message in Transport.ReadAllAsync(Token))
            {
                texts.Add(message.Text);
            }
        });
        await WaitForAsync<ClosedEvent>();
        return (texts, error);
    }

    public async ValueTask DisposeAsync()
    {
        await Transport.DisposeAsync();
        _guard.Dispose();
    }

    private void Note<T>(object? sender, T happened)
        where T : notnull
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _events.Add(happened);
            (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        changed.SetResult();
    }
}
