using System.Text;

namespace Perennial.Cli.Demo;

/// <summary>Compares received chunks with sent chunks, by number and by text. Thread safe.</summary>
internal sealed class Tally(IReadOnlyList<string> sent)
{
    private readonly Lock _gate = new();
    private readonly int[] _arrivals = new int[sent.Count + 1];     // of each chunk, including the last
    private readonly StringBuilder _text = new();
    private int _unknown;
    private int _last;
    private bool _isInOrder = true;

    /// <summary>The number of chunks that did not arrive.</summary>
    public int Lost
    {
        get
        {
            lock (_gate)
            {
                return _arrivals.Count(times => times == 0);
            }
        }
    }

    /// <summary>The number of chunks that arrived again, and of chunks that were never sent.</summary>
    public int Repeated
    {
        get
        {
            lock (_gate)
            {
                return _unknown + _arrivals.Sum(times => Math.Max(0, times - 1));
            }
        }
    }

    /// <summary>The number of the last received chunk.</summary>
    public int Last
    {
        get
        {
            lock (_gate)
            {
                return _last;
            }
        }
    }

    /// <summary>Whether every chunk arrived once and in order, and the text equals the sent text.</summary>
    public bool IsWhole
    {
        get
        {
            lock (_gate)
            {
                return _isInOrder && _unknown == 0 && Array.TrueForAll(_arrivals, times => times == 1)
                    && string.Equals(_text.ToString(), string.Concat(sent), StringComparison.Ordinal);
            }
        }
    }

    /// <summary>Counts a chunk.</summary>
    /// <param name="number">Its place in the stream, from 1.</param>
    /// <param name="content">Its token; the last chunk has none.</param>
    public void Add(int number, string? content)
    {
        lock (_gate)
        {
            if (number < 1 || number > _arrivals.Length)
            {
                _unknown++;
                return;
            }

            _isInOrder &= number == _last + 1;
            _last = number;
            _arrivals[number - 1]++;
            _text.Append(content);
        }
    }

    /// <summary>Returns the end of the text so far.</summary>
    public string Tail(int length)
    {
        lock (_gate)
        {
            var start = Math.Max(0, _text.Length - length);
            return _text.ToString(start, _text.Length - start);
        }
    }
}
