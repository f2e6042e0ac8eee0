using System.Globalization;
using System.Net;
using System.Text;

namespace Perennial.Testing;

/// <summary>The bytes of HTTP/1.1 responses.</summary>
internal static class HttpWire
{
    public static byte[] Head(int status, ReadOnlySpan<(string Name, string Value)> headers)
    {
        var head = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {(HttpStatusCode)status}\r\n"));
        foreach (var (name, value) in headers)
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        return Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
    }

    public static (string Name, string Value) ContentLength(int bytes) =>
        ("Content-Length", bytes.ToString(CultureInfo.InvariantCulture));

    public static byte[] Chunk(ReadOnlySpan<byte> bytes) =>
        [.. Encoding.ASCII.GetBytes(bytes.Length.ToString("x", CultureInfo.InvariantCulture)), .. "\r\n"u8, .. bytes, .. "\r\n"u8];
}
