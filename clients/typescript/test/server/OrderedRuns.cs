using System.Collections.Concurrent;
using Perennial.AspNetCore;

namespace Perennial.TestServer;

/// <summary>A run that a test wants: numbered tokens, and an end.</summary>
internal sealed record RunOrder
{
    /// <summary>How many tokens.</summary>
    public int Count { get; init; }

    /// <summary>After how many of them to wait until the test says go on; none: do not.</summary>
    public int? HoldAfter { get; init; }

    /// <summary>How it ends: completed, failed, or not at all by itself.</summary>
    public string End { get; init; } = "completed";
}

/// <summary>What a run was asked for and told.</summary>
internal sealed record RunState(int Readers, IReadOnlyCollection<string> Received);

/// <summary>The runs that tests ordered, and what happened to them. Thread safe.</summary>
internal sealed class OrderedRuns(StreamRuns runs)
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _starts = new(StringComparer.Ordinal);

    public Task<StartedRun> StartAsync(string name, RunOrder order)
    {
        _starts.AddOrUpdate(name, 1, static (_, count) => count + 1);
        return StartAsync(order);
    }

    public async Task<StartedRun> StartAsync(RunOrder order)
    {
        var entry = new Entry();
        var run = await runs.StartAsync((writer, stop) => ProduceAsync(order, entry, writer, stop), new RunOptions
        {
            OnMessage = (message, _) =>
            {
                entry.Received.Enqueue(message.Text);
                return Task.CompletedTask;
            },
        });
        _entries[run.Id] = entry;
        return run;
    }

    public int StartsOf(string name) => _starts.GetValueOrDefault(name);

    public RunState? StateOf(string id) => _entries.TryGetValue(id, out var entry) ? new RunState(entry.Readers, entry.Received) : null;

    public void Release(string id) => _entries[id].Go.TrySetResult();

    /// <summary>Counts the requests that read a run, by its id.</summary>
    public Task CountAsync(HttpContext context, RequestDelegate next)
    {
        if (HttpMethods.IsGet(context.Request.Method)
            && context.Request.Path.StartsWithSegments("/streams", StringComparison.Ordinal, out var run)
            && _entries.TryGetValue(run.Value!.TrimStart('/'), out var entry))
        {
            entry.CountReader();
        }

        return next(context);
    }

    private static async Task ProduceAsync(RunOrder order, Entry entry, RunWriter writer, CancellationToken stop)
    {
        for (var number = 0; number < order.Count; number++)
        {
            if (number == order.HoldAfter)
            {
                await entry.Go.Task.WaitAsync(stop);
            }

            await writer.WriteAsync($"token {number}\nof \"{order.Count}\" ü🌱", cancellationToken: stop);
        }

        if (string.Equals(order.End, "failed", StringComparison.Ordinal))
        {
            throw new RunFailedException("out of tokens", "quota");
        }

        if (!string.Equals(order.End, "completed", StringComparison.Ordinal))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }
    }

    private sealed class Entry
    {
        private int _readers;

        public int Readers => Volatile.Read(ref _readers);

        public ConcurrentQueue<string> Received { get; } = new();

        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void CountReader() => Interlocked.Increment(ref _readers);
    }
}
