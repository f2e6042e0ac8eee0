using System.Text;
using System.Text.RegularExpressions;

namespace Perennial.Tests.Sse;

/// <summary>
/// An event stream taken apart the slow and obvious way, by the words of the standard: decode it, cut it into lines, the lines into
/// fields, the fields into blocks that a blank line ends. What our parser makes of it in pieces must be the same.
/// </summary>
internal sealed partial class SseDocument
{
    private const double LongestDelay = int.MaxValue;

    public SseDocument(byte[] bytes)
    {
        Bytes = bytes;
        var text = Encoding.UTF8.GetString(bytes);
        Text = text.StartsWith('\uFEFF') ? text[1..] : text;
        var lines = LineEnd().Split(Text);
        var block = new List<Field>();
        foreach (var line in lines[..^1])   // what follows the last line end is no line
        {
            if (line.Length > 0)
            {
                block.Add(Field.Of(line));
                continue;
            }

            Blocks.Add(block);
            block = [];
        }

        Rest = block;
    }

    public byte[] Bytes { get; }

    public string Text { get; }

    /// <summary>The fields before each blank line.</summary>
    public List<List<Field>> Blocks { get; } = [];

    /// <summary>The fields after the last blank line.</summary>
    public List<Field> Rest { get; }

    public StreamReading Read()
    {
        var messages = new List<ReadMessage>();
        var id = "";
        foreach (var block in Blocks)
        {
            id = block.LastOrDefault(field => field.IsId)?.Value ?? id;
            if (block.Exists(field => field.Name is "data"))
            {
                var type = block.LastOrDefault(field => field.Name is "event")?.Value;
                var data = string.Join('\n', block.Where(field => field.Name is "data").Select(field => field.Value));
                messages.Add(new ReadMessage(NullIfEmpty(id), NullIfEmpty(type) ?? "message", data));
            }
        }

        var delay = Blocks.SelectMany(block => block).Concat(Rest).LastOrDefault(field => field.IsDelay);
        return new StreamReading(messages, NullIfEmpty(id), delay is null ? null : Math.Min(double.Parse(delay.Value), LongestDelay));
    }

    public static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    [GeneratedRegex("\r\n|\n|\r", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex LineEnd();

    /// <summary>One line; a comment is a field without a name.</summary>
    internal sealed record Field(string Name, string Value)
    {
        public bool IsId => Name is "id" && !Value.Contains('\0', StringComparison.Ordinal);

        public bool IsDelay => Name is "retry" && Value.Length > 0 && Value.All(char.IsAsciiDigit);

        public static Field Of(string line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                return new Field(line, "");
            }

            var value = line[(colon + 1)..];
            return new Field(line[..colon], value.StartsWith(' ') ? value[1..] : value);
        }
    }
}
