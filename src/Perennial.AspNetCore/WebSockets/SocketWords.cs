using System.Globalization;
using System.Text;
using System.Text.Json;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>What the server says in <c>perennial.v1</c> beside the stream. Pure.</summary>
internal static class SocketWords
{
    /// <summary>The first message of every connection.</summary>
    public static byte[] Hello(HelloBody body) => Envelope("hello", JsonSerializer.SerializeToUtf8Bytes(body, WireJson.Default.HelloBody));

    /// <summary>Everything up to a number is recorded.</summary>
    public static byte[] Ack(long received) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $$$"""{"type":"perennial.ack","data":{"received":{{{received}}}}}"""));

    /// <summary>A message will not be taken.</summary>
    public static byte[] Refused(RefusedBody body) => Envelope("refused", JsonSerializer.SerializeToUtf8Bytes(body, WireJson.Default.RefusedBody));

    /// <summary>Something else will not be done.</summary>
    public static byte[] Refused(RefusedStopBody body) => Envelope("refused", JsonSerializer.SerializeToUtf8Bytes(body, WireJson.Default.RefusedStopBody));

    /// <summary>The envelope without the LF that ends a line.</summary>
    public static ReadOnlyMemory<byte> WithoutLineEnd(byte[] jsonLine) => jsonLine.AsMemory(0, jsonLine.Length - 1);

    private static byte[] Envelope(string name, byte[] data) =>
        WithoutLineEnd(JsonLine.Encode(id: null, new RunEvent(WireNames.ReservedEventPrefix + name, data, RunDataKind.Json))).ToArray();
}

/// <summary>Why a message is not taken.</summary>
internal static class RefusalCodes
{
    public const string TooLarge = "payload_too_large";
    public const string Ended = "ended";
    public const string Forbidden = "forbidden";
}

/// <summary>Data of <c>perennial.hello</c>: seconds, and the id after which the stream goes on.</summary>
internal sealed record HelloBody(double Heartbeat, string Cursor);

/// <summary>Data of <c>perennial.refused</c>.</summary>
internal sealed record RefusedBody(long Number, string Code, string Message);

/// <summary>Data of <c>perennial.refused</c> for what has no number.</summary>
internal sealed record RefusedStopBody(string Request, string Code, string Message);
