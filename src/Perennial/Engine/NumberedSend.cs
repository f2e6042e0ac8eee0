namespace Perennial.Engine;

/// <summary>One message in the hands of <see cref="NumberedSends"/>, under whose lock it gets its number.</summary>
internal sealed class NumberedSend(OutgoingMessage message, NumberedSends owner)
{
    private readonly TaskCompletionSource<SendOutcome> _answer = new();

    public OutgoingMessage Message { get; } = message;

    /// <summary>Its place among all messages of its sender, from 1; 0 until it leaves for the first time.</summary>
    public long Number { get; set; }

    /// <summary>When it left over the present connection.</summary>
    public long LeftAt { get; set; }

    /// <summary>Whether it may have reached the peer.</summary>
    public bool HasLeft => owner.HasLeft(this);

    /// <summary>What the peer answered; cancelled where the message was withdrawn.</summary>
    public Task<SendOutcome> Answer => _answer.Task;

    /// <summary>Takes the message back, unless it has left: a number that was used must arrive.</summary>
    public void Withdraw()
    {
        if (owner.TryRemove(this))
        {
            _answer.TrySetCanceled();
        }
    }

    public void Acknowledge() => _answer.TrySetResult(SendOutcome.Acknowledged);

    public void Fail(TransportException error)
    {
        if (_answer.TrySetException(error))
        {
            _ = _answer.Task.Exception;     // observed: the session may be over, and nobody wait any more
        }
    }
}
