using System.Text;

namespace Perennial.AspNetCore.Stores;

/// <summary>What a producer has said once, before it has a number.</summary>
/// <param name="EventType">The event's type; null for none. Without CR, LF and NUL.</param>
/// <param name="Data">The payload: UTF-8, unless <paramref name="Kind"/> is <see cref="RunDataKind.Binary"/>.</param>
/// <param name="Kind">What the payload is.</param>
public readonly record struct RunEvent(string? EventType, ReadOnlyMemory<byte> Data, RunDataKind Kind)
{
    internal const int Overhead = 64;

    /// <summary>What the event counts against <see cref="PerennialServerOptions.MaxBytesPerRun"/>: its data, its type and 64 bytes.</summary>
    public long Size => Data.Length + Encoding.UTF8.GetByteCount(EventType ?? "") + Overhead;
}

/// <summary>What a payload is, which decides how it stands in JSON. The numbers are fixed: stores may keep them.</summary>
public enum RunDataKind
{
    /// <summary>Text in UTF-8.</summary>
    Text = 0,

    /// <summary>A JSON value in UTF-8.</summary>
    Json = 1,

    /// <summary>Bytes that need not be text.</summary>
    Binary = 2,
}
