namespace Perennial.Transports.Mqtt;

/// <summary>A sent message whose outcome is not known yet. It keeps its packet id over connections.</summary>
internal sealed class MqttSend(string key, ushort packetId)
{
    private TaskCompletionSource<SendOutcome> _done = NewDone();

    public string Key => key;

    public ushort PacketId => packetId;

    /// <summary>Whether it was written on some connection.</summary>
    public bool IsWritten { get; set; }

    /// <summary>QoS 2: whether the server has taken it, so that only its release is repeated.</summary>
    public bool IsTaken { get; set; }

    public Task<SendOutcome> Outcome => _done.Task;

    public void Restart() => _done = NewDone();

    public void Acknowledge() => _done.TrySetResult(SendOutcome.Acknowledged);

    public void Fail(TransportException error)
    {
        if (_done.TrySetException(error))
        {
            _ = _done.Task.Exception;       // observed, because the caller may have left
        }
    }

    private static TaskCompletionSource<SendOutcome> NewDone() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
