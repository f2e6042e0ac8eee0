using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>
/// The answers to a client's messages, in their order, until the socket's writer takes them. One acknowledgement stands for all before it.
/// Filled by one task and emptied by another.
/// </summary>
/// <param name="news">Wakes the writer.</param>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore owns nothing as long as its wait handle is not asked for.")]
internal sealed class SocketOutbox(RunSignal news)
{
    private const int MostWaiting = 100;
    private const int MostUnannounced = 64;

    private readonly Lock _gate = new();
    private readonly RunSignal _room = new();
    private readonly SemaphoreSlim _recording = new(1, 1);      // taken while a message is recorded and answered
    private readonly List<Answer> _answers = [];
    private int _unannounced;       // touched by who fills it

    /// <summary>Whether the writer does not keep up.</summary>
    private bool IsFull
    {
        get
        {
            lock (_gate)
            {
                return _answers.Count >= MostWaiting;
            }
        }
    }

    /// <summary>Says that everything up to a number is recorded.</summary>
    public void Acknowledge(long received)
    {
        lock (_gate)
        {
            if (_answers is [.., { Text: null }])
            {
                _answers.RemoveAt(_answers.Count - 1);
            }

            _answers.Add(new Answer(received, Text: null));
        }

        if (++_unannounced >= MostUnannounced)
        {
            Announce();
        }
    }

    /// <summary>Answers a client that named itself.</summary>
    public void Welcome(long received) => Add(SideEventWriter.Acknowledgement(received));

    /// <summary>Says that a message will not be taken.</summary>
    public void Refuse(long number, string code)
    {
        var body = new RefusalData(number, code, code switch
        {
            RefusalCodes.TooLarge => "The message is larger than the server takes.",
            RefusalCodes.Ended => "The run has ended.",
            _ => "This run takes no messages from this client.",
        });
        Add(SideEventWriter.Refusal(body));
    }

    /// <summary>Says that the run will not be stopped for this client.</summary>
    public void RefuseStop() => Add(SideEventWriter.Refusal(new RequestRefusalData(RequestRefusalData.Stop, RefusalCodes.Forbidden, "This client may not stop the run.")));

    /// <summary>Wakes the writer for what was answered since. Called when there is nothing more to answer for now.</summary>
    public void Announce()
    {
        if (_unannounced == 0)
        {
            return;
        }

        _unannounced = 0;
        news.Set();
    }

    /// <summary>Completes when there is room for more answers.</summary>
    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        if (!IsFull)
        {
            return;
        }

        Announce();
        await using var leaving = cancellationToken.UnsafeRegister(static room => ((RunSignal)room!).Set(), _room);
        while (IsFull)
        {
            await _room.WaitAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A message is about to be recorded. Ends with <see cref="EndRecording"/>.</summary>
    public Task BeginRecordingAsync(CancellationToken cancellationToken) => _recording.WaitAsync(cancellationToken);

    /// <summary>The message is answered.</summary>
    public void EndRecording() => _recording.Release();

    /// <summary>
    /// Completes when every message that is recorded is answered, and lets none be recorded any more. Not waited for longer than a goodbye.
    /// </summary>
    public async ValueTask SettleAsync(CancellationToken cancellationToken)
    {
        if (_recording.Wait(TimeSpan.Zero, CancellationToken.None))
        {
            return;
        }

        using var limit = new CancellationTokenSource(SocketClose.Limit, SocketClose.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await _recording.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Takes everything there is to say.</summary>
    public bool TakeTo(SocketFrames frames)
    {
        bool wasFull;
        lock (_gate)
        {
            if (_answers.Count == 0)
            {
                return false;
            }

            wasFull = _answers.Count >= MostWaiting;
            foreach (var answer in _answers)
            {
                frames.Add(answer.Text ?? SideEventWriter.Acknowledgement(answer.Received), WebSocketMessageType.Text);
            }

            _answers.Clear();
        }

        if (wasFull)
        {
            _room.Set();
        }

        return true;
    }

    private void Add(byte[] text)
    {
        lock (_gate)
        {
            _answers.Add(new Answer(Received: 0, text));
        }

        _unannounced++;
    }

    /// <param name="Received">What is acknowledged.</param>
    /// <param name="Text">What is said instead.</param>
    private readonly record struct Answer(long Received, byte[]? Text);
}
