using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Stores;

namespace Perennial.SeveralNodes;

/// <summary>Notifies other nodes about runs with news: about the first at once, and then about all within 10 ms together.</summary>
/// <remarks>
/// A notification is never part of an append. If one is lost, the sweep of the other nodes finds the news within a second.
/// </remarks>
internal sealed class WakeUps(Func<string[], CancellationToken, Task> send, Guid node, TimeProvider time, ILogger logger)
{
    private const int MaxPayload = 7900;    // PostgreSQL takes less than 8000 bytes (NOTIFY)
    private const int MaxWord = 24;         // a space, the digits of a run and the mark
    private const char MessageMark = 'm';

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    private readonly string _sender = node.ToString("N");
    private readonly Lock _gate = new();
    private readonly RunSignal _news = new();
    private Dictionary<long, bool> _runs = [];      // true: new records; false: only messages to the producer

    public void AddRecords(long run)
    {
        lock (_gate)
        {
            _runs[run] = true;
        }

        _news.Set();
    }

    public void AddMessage(long run)
    {
        lock (_gate)
        {
            _runs.TryAdd(run, false);
        }

        _news.Set();
    }

    public async Task RunAsync(CancellationToken stop)
    {
        await using var waking = stop.UnsafeRegister(static news => ((RunSignal)news!).Set(), _news);
        while (true)
        {
            await _news.WaitAsync();
            if (stop.IsCancellationRequested)
            {
                return;
            }

            await SendAsync(stop);
            await Task.Delay(Interval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Sends the gathered notifications. Never throws: the sweep of the other nodes finds lost news.</summary>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        var runs = Take();
        if (runs.Count == 0)
        {
            return;
        }

        try
        {
            await send(Payloads(runs), cancellationToken);
        }
        catch (Exception e)
        {
            Log.PutOff(logger, "waking", e);
        }
    }

    /// <summary>Wakes the readers and producers here that a notification of another node is about. Unknown words are skipped.</summary>
    public void Deliver(string payload, RunViews views)
    {
        var words = payload.Split(' ');
        if (string.Equals(words[0], _sender, StringComparison.Ordinal))
        {
            return;
        }

        foreach (var word in words.AsSpan(1))
        {
            var digits = word.AsSpan().TrimEnd(MessageMark);
            if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var run)
                || views.WatchedOf(run) is not { } view)
            {
                continue;
            }

            if (digits.Length == word.Length)
            {
                view.MarkStale();
            }
            else
            {
                view.OnMessage();
            }
        }
    }

    private Dictionary<long, bool> Take()
    {
        lock (_gate)
        {
            var taken = _runs;
            _runs = [];
            return taken;
        }
    }

    private string[] Payloads(Dictionary<long, bool> runs)
    {
        var payloads = new List<string>();
        var text = new StringBuilder(_sender);
        foreach (var (run, hasRecords) in runs)
        {
            if (text.Length > MaxPayload - MaxWord)
            {
                payloads.Add(text.ToString());
                text.Clear().Append(_sender);
            }

            text.Append(' ').Append(run);
            if (!hasRecords)
            {
                text.Append(MessageMark);
            }
        }

        payloads.Add(text.ToString());
        return [.. payloads];
    }
}
