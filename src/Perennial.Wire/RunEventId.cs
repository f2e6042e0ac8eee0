using System.Globalization;

namespace Perennial.Wire;

/// <summary>The id of an event of a run: <c>epoch-sequence</c>. Sequence 0 is the position before the first event.</summary>
/// <remarks>
/// The epoch is random and differs for every run. With it the server recognizes an id of an earlier run at the same URL, and does not
/// resume after it.
/// </remarks>
internal readonly record struct RunEventId(string Epoch, long Sequence)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}-{Sequence}");

    public static bool TryParse(string text, out RunEventId id)
    {
        var dash = text.LastIndexOf('-');
        if (dash > 0 && long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
        {
            id = new RunEventId(text[..dash], sequence);
            return true;
        }

        id = default;
        return false;
    }
}
