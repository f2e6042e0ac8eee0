using Microsoft.Extensions.Options;

namespace Perennial.AspNetCore.Delivery;

/// <summary>Counts the readers of this process, whatever their form, and knows how many there may be. Safe from any thread.</summary>
internal sealed class ReaderPlaces(IOptions<PerennialServerOptions> options)
{
    /// <summary>What a reader is told for whom there is no place.</summary>
    public const string AllTaken = "The server has all the readers it can serve just now.";

    private int _taken;

    /// <summary>Takes a place, to be left again. False where all are taken.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= options.Value.MaxReaders)
            return true;
        Leave();
        return false;
    }

    /// <summary>Gives a place back.</summary>
    public void Leave() => Interlocked.Decrement(ref _taken);
}
