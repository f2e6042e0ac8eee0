using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perennial.Wire;

/// <summary>
/// Writes the events about the connection, which are not part of the stream, in <c>perennial.v1</c>. <see cref="SideEvent"/> reads them.
/// Pure.
/// </summary>
internal static class SideEventWriter
{
    /// <summary>The first message of every connection.</summary>
    public static byte[] Hello(HelloData data) =>
        Encode(EventNames.Hello, JsonSerializer.SerializeToUtf8Bytes(data, WireJson.Default.HelloData));

    /// <summary>Confirms that all messages up to a number are recorded.</summary>
    public static byte[] Acknowledgement(long received) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $$$"""{"type":"{{{EventNames.Acknowledgement}}}","data":{"received":{{{received}}}}}"""));

    /// <summary>Refuses a numbered message.</summary>
    public static byte[] Refusal(RefusalData data) =>
        Encode(EventNames.Refusal, JsonSerializer.SerializeToUtf8Bytes(data, WireJson.Default.RefusalData));

    /// <summary>Refuses a request that has no number.</summary>
    public static byte[] Refusal(RequestRefusalData data) =>
        Encode(EventNames.Refusal, JsonSerializer.SerializeToUtf8Bytes(data, WireJson.Default.RequestRefusalData));

    private static byte[] Encode(string name, byte[] data) =>
        Envelope.WithoutLineEnd(Envelope.EncodeLine(id: null, name, data, PayloadKind.Json)).ToArray();
}

/// <summary>The reasons for which a server refuses a message.</summary>
internal static class RefusalCodes
{
    public const string TooLarge = "payload_too_large";
    public const string Ended = "ended";
    public const string Forbidden = "forbidden";
}
