using System.Globalization;

namespace Perennial.Testing;

/// <summary>One run of one behavior: the harness, and waits that end with a sentence.</summary>
/// <param name="harness">The harness, started.</param>
/// <param name="cancellationToken">Cancels every wait.</param>
internal sealed class BehaviorRun(TransportHarness harness, CancellationToken cancellationToken)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    /// <summary>How long something that must not happen is given to happen.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(50);

    public TransportHarness Harness => harness;

    public TransportTraits Traits => harness.Traits;

    public CancellationToken Token => cancellationToken;

    /// <summary>The ways to cut a connection that the protocol can tell from an end.</summary>
    public IReadOnlyList<CutMode> CutModes => Traits.MarksEnd ? [CutMode.Reset, CutMode.Close] : [CutMode.Reset];

    public static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new BehaviorException(message);
        }
    }

    public static void RequireEqual<T>(T expected, T actual, string what) =>
        Require(EqualityComparer<T>.Default.Equals(expected, actual), $"{what}: expected {expected}, was {actual}.");

    /// <summary>Requires messages with numbers in sequence, and names the first that differs.</summary>
    public static void RequireNumbers(IReadOnlyList<string> texts, int first, int last, string what)
    {
        for (var i = 0; i < Math.Max(texts.Count, last - first + 1); i++)
        {
            var expected = first + i <= last ? Text(first + i) : "nothing more";
            var actual = i < texts.Count ? texts[i] : "nothing more";
            Require(
                string.Equals(expected, actual, StringComparison.Ordinal),
                $"{what}: as number {i + 1} of {last - first + 1} expected {expected}, was {actual}.");
        }
    }

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    public ObservedTransport Create(TransportSetup? setup = null) => new(this, harness.CreateTransport(setup ?? new TransportSetup()));

    /// <summary>Creates a transport and waits until it is connected.</summary>
    public async Task<ObservedTransport> ConnectAsync(TransportSetup? setup = null)
    {
        var transport = Create(setup);
        await SoonAsync(transport.Transport.ConnectAsync(cancellationToken), "ConnectAsync completes");
        return transport;
    }

    /// <summary>Writes messages whose texts are these numbers.</summary>
    public async Task WriteAsync(int first, int last)
    {
        for (var number = first; number <= last; number++)
        {
            await SoonAsync(harness.WriteAsync(Text(number), cancellationToken), "the server takes a message to write");
        }
    }

    public Task CompleteAsync() => SoonAsync(harness.CompleteAsync(cancellationToken), "the server completes the stream");

    public async Task SoonAsync(Task task, string what)
    {
        try
        {
            await task.WaitAsync(harness.Patience, TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw NeverHappened(what);
        }
    }

    public async Task<T> SoonAsync<T>(Task<T> task, string what)
    {
        await SoonAsync((Task)task, what);
        return await task;
    }

    /// <summary>Waits for a task that must fail.</summary>
    public async Task<TException> FailsAsync<TException>(Task task, string what)
        where TException : Exception
    {
        try
        {
            await SoonAsync(task, $"{what} fails");
        }
        catch (TException e)
        {
            return e;
        }

        throw new BehaviorException($"{what}: expected {typeof(TException).Name}, but it succeeded.");
    }

    /// <summary>Asks until the answer is yes.</summary>
    /// <param name="condition">The question.</param>
    /// <param name="what">What must come true.</param>
    /// <param name="between">Called before it is asked again.</param>
    public async Task UntilAsync(Func<bool> condition, string what, Action? between = null)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(since) > harness.Patience)
            {
                throw NeverHappened(what);
            }

            between?.Invoke();
            await Task.Delay(PollInterval, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Waits a moment in which something could happen that must not.</summary>
    public Task WaitAMomentAsync() => Task.Delay(Grace, TimeProvider.System, cancellationToken);

    /// <summary>Waits until the server holds no connection.</summary>
    public Task UntilNothingStandsAsync() =>
        UntilAsync(() => harness.Connections == 0, "the server holds no connection any more");

    private BehaviorException NeverHappened(string what) =>
        new($"It did not happen within {harness.Patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s: {what}.");
}
