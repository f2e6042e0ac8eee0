using System.Diagnostics.Metrics;

namespace Perennial.Diagnostics;

/// <summary>
/// An instrument whose listeners may throw without effect. Each call returns whether all listeners took the measurement. Costs a look at
/// <see cref="Instrument.Enabled"/> while nobody listens. Thread safe.
/// </summary>
/// <typeparam name="T">What is measured.</typeparam>
/// <param name="instrument">The instrument.</param>
/// <param name="record">Records a measurement with it.</param>
internal sealed class SafeInstrument<T>(Instrument instrument, SafeInstrument<T>.Recording record)
    where T : struct
{
    public delegate void Recording(T value, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    /// <summary>Whether anybody listens.</summary>
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
