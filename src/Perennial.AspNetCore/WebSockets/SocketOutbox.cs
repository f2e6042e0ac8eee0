using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>
/// Keeps the answers to a client's messages, in order, until the socket's writer takes them. One acknowledgement covers all messages before
/// it. One task adds answers and another takes them.
/// </summary>
/// <param name="news">Wakes the writer.</param>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore owns nothing unless its wait handle is used.")]
internal sealed class SocketOutbox(RunSignal news)
{
    private const int MostWaiting = 100;
    private const int MostUnannounced = 64;

    private readonly Lock _gate = new();
    private readonly RunSignal _room = new();
    private readonly SemaphoreSlim _recording = new(1, 1);      // taken while a message is recorded and answered
    private readonly List<Answer> _answers = [];
    private int _unannounced;       // used only by the task that adds answers

    /// <summary>Whether the writer is too slow.</summary>
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

    /// <summary>Acknowledges all messages up to a number.</summary>
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

    /// <summary>Answers <c>perennial.sender</c>.</summary>
    public void Welcome(long received) => Add(SideEventWriter.Acknowledgement(received));

    /// <summary>Refuses a message.</summary>
    public void Refuse(long number, string code)
    {
        var body = new RefusalData(number, code, code switch
        {
            RefusalCodes.TooLarge => "The message is larger than the server allows.",
            RefusalCodes.Ended => "The run has ended.",
            _ => "This client may not send messages to this run.",
        });
        Add(SideEventWriter.Refusal(body));
    }

    /// <summary>Refuses a stop.</summary>
    public void RefuseStop() =>
        Add(
            SideEventWriter.Refusal(
                new RequestRefusalData(RequestRefusalData.Stop, RefusalCodes.Forbidden, "This client may not stop the run.")));

    /// <summary>Wakes the writer for new answers. Called when no further message waits.</summary>
    public void Announce()
    {
        if (_unannounced == 0)
        {
            return;
        }

        _unannounced = 0;
        news.Set();
    }

    /// <summary>Waits until there is room for more answers.</summary>
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

    /// <summary>Called before a message is recorded. The caller must call <see cref="EndRecording"/> afterwards.</summary>
    public Task BeginRecordingAsync(CancellationToken cancellationToken) => _recording.WaitAsync(cancellationToken);

    /// <summary>Called when the message has its answer.</summary>
    public void EndRecording() => _recording.Release();

    /// <summary>
    /// Prevents further recording, and waits until every recorded message has its answer, up to the time for closing.
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

    /// <summary>Takes all waiting answers.</summary>
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

    /// <param name="Received">The acknowledged number.</param>
    /// <param name="Text">Another answer, in place of an acknowledgement.</param>
    private readonly record struct Answer(long Received, byte[]? Text);
}
