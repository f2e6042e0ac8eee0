using System.Diagnostics.Metrics;

namespace Perennial.Diagnostics;

/// <summary>
/// An instrument that catches exceptions of its listeners. While no listener is registered, a call only reads
/// <see cref="Instrument.Enabled"/>. Thread safe.
/// </summary>
/// <typeparam name="T">The type of the measurements.</typeparam>
/// <param name="instrument">The instrument.</param>
/// <param name="record">Records a measurement with the instrument.</param>
internal sealed class SafeInstrument<T>(Instrument instrument, SafeInstrument<T>.Recording record)
    where T : struct
{
    public delegate void Recording(T value, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    /// <summary>Whether a listener is registered.</summary>
    public bool Enabled => instrument.Enabled;

    /// <summary>Records a measurement. Returns false if a listener threw.</summary>
    public bool TryRecord(T value, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (!instrument.Enabled)
        {
            return true;
        }

        try
        {
            record(value, tags);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }
}
