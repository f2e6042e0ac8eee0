using System.Text;

namespace Perennial.AspNetCore.Stores;

/// <summary>One event of a producer, before it has a number.</summary>
public readonly record struct RunEvent
{
    /// <summary>Gets the event's type; null for none. It has no CR, LF or NUL.</summary>
    public string? EventType { get; init; }

    /// <summary>Gets the payload: UTF-8, unless <see cref="Kind"/> is <see cref="RunDataKind.Binary"/>.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Gets the kind of the payload.</summary>
    public required RunDataKind Kind { get; init; }

    internal const int Overhead = 64;

    /// <summary>
    /// Gets the bytes that count against <see cref="PerennialServerOptions.MaxBytesPerRun"/>: the data, the type and 64 bytes.
    /// </summary>
    public long Size => Data.Length + Encoding.UTF8.GetByteCount(EventType ?? "") + Overhead;
}

/// <summary>The kind of a payload, which decides its form in JSON. The numbers are fixed: stores may keep them.</summary>
public enum RunDataKind
{
    /// <summary>Text in UTF-8.</summary>
    Text = 0,

    /// <summary>A JSON value in UTF-8.</summary>
    Json = 1,

    /// <summary>Any bytes.</summary>
    Binary = 2,
}
