using System.Text;

namespace Perennial.Tests.Sse;

/// <summary>Random event streams: mostly well formed, with every rare thing the grammar allows, and sometimes plain noise.</summary>
internal sealed class SseDocumentGenerator(int seed)
{
    private static readonly string[] Names =
        ["data", "data", "data", "data", "id", "id", "event", "event", "retry", "", "", "foo", "Data", "dat", "datax", " data", "ID", "é"];

    private static readonly string[] Separators = [": ", ": ", ": ", ":", ":", ":  ", "", "::", " : "];

    private static readonly string[] Values =
        ["", "x", "hello world", "[DONE]", "{\"type\":\"error\"}", "1", "42", "007", "-1", "1e3", "99999999999999999999", "2147483648",
         "é€😀", "a:b", " ", "\t", "a\0b", "message", "done", "\u2028", "\uFEFF"];

    private static readonly string[] LineEnds = ["\n", "\r\n", "\r"];

    private static readonly byte[] Noise = [.. "\n\n\r\r: dataeventidretry0\0"u8, 0xEF, 0xBB, 0xBF, 0xC3, 0xFF];

    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        using var document = new MemoryStream();
        if (_random.Next(8) == 0)
        {
            document.Write([0xEF, 0xBB, 0xBF]);
        }

        var lineEnd = _random.Next(4) == 0 ? null : Any(LineEnds);
        for (var events = _random.Next(8); events > 0; events--)
        {
            for (var lines = _random.Next(5); lines > 0; lines--)
            {
                WriteLine(document);
                WriteText(document, lineEnd ?? Any(LineEnds));
            }

            WriteText(document, lineEnd ?? Any(LineEnds));
        }

        if (_random.Next(4) == 0)
        {
            WriteLine(document);
        }

        var bytes = document.ToArray();
        return _random.Next(6) == 0 ? bytes[.._random.Next(bytes.Length + 1)] : bytes;
    }

    /// <summary>Where to cut a document of that length: nowhere, everywhere, or at a few places.</summary>
    public int[] Cuts(int length) =>
        _random.Next(4) switch
        {
            0 => [],
            1 => [.. Enumerable.Range(0, length)],
            _ => [.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ => _random.Next(length + 1)).Order()],
        };

    private void WriteLine(MemoryStream document)
    {
        if (_random.Next(12) == 0)
        {
            document.Write(_random.GetItems(Noise, _random.Next(1, 20)));
            return;
        }

        WriteText(document, Any(Names));
        WriteText(document, Any(Separators));
        if (_random.Next(20) == 0)
        {
            WriteText(document, new string('z', _random.Next(3000)));
        }
        else
        {
            WriteText(document, Any(Values));
        }
    }

    private T Any<T>(T[] from) => from[_random.Next(from.Length)];

    private static void WriteText(MemoryStream document, string text) => document.Write(Encoding.UTF8.GetBytes(text));
}
