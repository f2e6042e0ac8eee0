using System.Diagnostics;
using System.Globalization;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// A server that sends the same events to all who read its busy path, and nothing after a first event to those of its idle path.
/// </summary>
internal interface IBroadcast : IAsyncDisposable
{
    string Origin { get; }

    string BusyPath { get; }

    string IdlePath { get; }

    /// <summary>Sends so many events, one behind the other.</summary>
    Task SendAsync(int events);
}

/// <summary>The servers that are compared.</summary>
internal static class Servers
{
    /// <summary>Sockets without HTTP behind the head: one send for each reader.</summary>
    public const string BareSend = "bare-send";

    /// <summary>Kestrel's open responses, written to one after the other.</summary>
    public const string KestrelWrite = "kestrel-write";

    /// <summary>Kestrel holding responses and sockets open, and nothing else.</summary>
    public const string Held = "held";

    /// <summary><c>TypedResults.ServerSentEvents</c> over a channel for each reader.</summary>
    public const string TypedResults = "typed-results";

    /// <summary>The best that is written by hand: bytes encoded once, a channel for each reader, all that waits in one flush.</summary>
    public const string EncodedOnce = "encoded-once";

    public const string Perennial = "perennial";
}

/// <summary>What is sent: 30 bytes that tell when, and end in a sign by which readers count.</summary>
internal static class Token
{
    public const byte Sign = (byte)'#';
    public const int TimeDigits = 20;

    /// <summary>The clock is the machine's, so another process may compare (CLOCK_MONOTONIC, QueryPerformanceCounter).</summary>
    public static string Now() => string.Create(CultureInfo.InvariantCulture, $"xxxxxxxxx{Stopwatch.GetTimestamp():D20}#");
}
