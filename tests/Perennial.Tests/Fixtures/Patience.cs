namespace Perennial.Tests.Fixtures;

/// <summary>Waits that end: a test that hangs fails with the line that hung. No test depends on how long a wait takes.</summary>
internal static class Patience
{
    /// <summary>In milliseconds: a limit for a whole test, where what hangs may be the disposal at its end.</summary>
    public const int Hang = 180_000;

    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(Hang);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    public static Task Soon(this Task task) => task.WaitAsync(Limit, TimeProvider.System, TestContext.Current.CancellationToken);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Limit, TimeProvider.System, TestContext.Current.CancellationToken);

    public static Task Soon(this ValueTask task) => task.AsTask().Soon();

    public static Task<T> Soon<T>(this ValueTask<T> task) => task.AsTask().Soon();

    /// <summary>Asks until the answer is yes: for what gives no signal of its own.</summary>
    public static async Task Until(Func<bool> condition, string what)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            TimeProvider.System.GetElapsedTime(since).ShouldBeLessThan(Limit, $"It never came to this: {what}.");
            await Breathe();
        }
    }

    /// <summary>Lets other threads run, between two looks at a condition.</summary>
    public static Task Breathe() => Task.Delay(PollInterval, TimeProvider.System, TestContext.Current.CancellationToken);

    /// <summary>Waits until a value has stood still for a while: for what must not happen any more.</summary>
    public static async Task<long> UntilStill(Func<long> value)
    {
        var last = value();
        for (var calm = 0; calm < 50; calm++)
        {
            await Breathe();
            var now = value();
            calm = now == last ? calm : 0;
            last = now;
        }

        return last;
    }
}
