namespace Perennial.Gateway.Answers;

/// <summary>Splits the bytes of a stream into events. Performs no I/O. Used by one caller.</summary>
internal abstract class EventReader
{
    /// <summary>Reads the next bytes, and adds the events that they complete.</summary>
    /// <exception cref="TransportException">An event is larger than allowed.</exception>
    public abstract void Read(ReadOnlySpan<byte> bytes, MessageBatch batch);

    /// <summary>Adds the last event if the end of the body completes it.</summary>
    /// <returns>False if the body ended inside an event.</returns>
    public abstract bool Finish(MessageBatch batch);

    /// <summary>Returns pooled memory.</summary>
    public abstract void Release();
}
