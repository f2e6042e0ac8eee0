using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perennial.Wire;

/// <summary>Writes what a server says in <c>perennial.v1</c> beside the stream. <see cref="SideEvent"/> reads it. Pure.</summary>
internal static class SideEventWriter
{
    /// <summary>The first message of every connection.</summary>
    public static byte[] Hello(HelloData data) => Encode(EventNames.Hello, JsonSerializer.SerializeToUtf8Bytes(data, WireJson.Default.HelloData));

    /// <summary>Everything up to a number is recorded.</summary>
    public static byte[] Acknowledgement(long received) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $$$"""{"type":"{{{EventNames.Acknowledgement}}}","data":{"received":{{{received}}}}}"""));

    /// <summary>The server does not take a message.</summary>
    public static byte[] Refusal(RefusalData data) =>
        Encode(EventNames.Refusal, JsonSerializer.SerializeToUtf8Bytes(data, WireJson.Default.RefusalData));

    /// <summary>The server does not do something else.</summary>
    public static byte[] Refusal(RequestRefusalData data) =>
        Encode(EventNames.Refusal, JsonSerializer.SerializeToUtf8Bytes(data, WireJson.Default.RequestRefusalData));

    private static byte[] Encode(string name, byte[] data) =>
        Envelope.WithoutLineEnd(Envelope.EncodeLine(id: null, name, data, PayloadKind.Json)).ToArray();
}

/// <summary>Why a message is not taken.</summary>
internal static class RefusalCodes
{
    public const string TooLarge = "payload_too_large";
    public const string Ended = "ended";
    public const string Forbidden = "forbidden";
}
