using System.Diagnostics.CodeAnalysis;
using Perennial.Testing;

namespace Perennial.AspNetCore.Testing;

/// <summary>What a behavior requires, with a sentence for when it is not so.</summary>
internal static class Expect
{
    public static void That([DoesNotReturnIf(false)] bool condition, string message)
    {
        if (!condition)
        {
            throw new BehaviorException(message);
        }
    }

    public static void Equal<T>(T expected, T actual, string what) =>
        That(EqualityComparer<T>.Default.Equals(expected, actual), $"{what}: expected {Text(expected)}, was {Text(actual)}.");

    /// <summary>Requires equal sequences, and names the first element that differs.</summary>
    public static void Sequence<T>(IEnumerable<T> expected, IEnumerable<T> actual, string what)
    {
        var (wanted, found) = (expected.ToList(), actual.ToList());
        for (var i = 0; i < Math.Max(wanted.Count, found.Count); i++)
        {
            var isSame = i < wanted.Count && i < found.Count && EqualityComparer<T>.Default.Equals(wanted[i], found[i]);
            That(isSame, $"{what}: as number {i + 1} of {wanted.Count} expected {TextAt(wanted, i)}, was {TextAt(found, i)}.");
        }
    }

    public static async Task ThrowsAsync<TException>(Func<Task> call, string what)
        where TException : Exception
    {
        try
        {
            await call();
        }
        catch (TException)
        {
            return;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new BehaviorException($"{what}: expected {typeof(TException).Name}, was {e.GetType().Name}: {e.Message}", e);
        }

        throw new BehaviorException($"{what}: expected {typeof(TException).Name}, but it succeeded.");
    }

    private static string TextAt<T>(List<T> items, int index) => index < items.Count ? Text(items[index]) : "nothing more";

    private static string Text<T>(T value) => value?.ToString() ?? "null";
}
