using System.Text;

namespace Perennial.Sse;

/// <summary>Reuses the strings of event types: a stream has few types, and every event names one.</summary>
internal sealed class EventTypeCache
{
    private const int Limit = 8;
    private const int LargestKept = 64;

    private readonly List<(byte[] Utf8, string Text)> _known = [];
    private int _next;

    public string Get(ReadOnlySpan<byte> utf8)
    {
        foreach (var (known, text) in _known)
        {
            if (utf8.SequenceEqual(known))
            {
                return text;
            }
        }

        var added = Encoding.UTF8.GetString(utf8);
        if (utf8.Length > LargestKept)
        {
            return added;
        }

        if (_known.Count < Limit)
        {
            _known.Add((utf8.ToArray(), added));
        }
        else
        {
            _known[_next] = (utf8.ToArray(), added);
            _next = (_next + 1) % Limit;
        }

        return added;
    }
}
