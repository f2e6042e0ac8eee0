using System.Globalization;

namespace Perennial.AspNetCore;

/// <summary>Where an event stands: <c>epoch-sequence</c>. Sequence 0 is the place before the first event.</summary>
/// <remarks>The epoch is drawn anew for every run, so an id kept from another life of a URL is recognised instead of obeyed.</remarks>
internal readonly record struct EventId(string Epoch, long Sequence)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}-{Sequence}");

    public static bool TryParse(string text, out EventId id)
    {
        var dash = text.LastIndexOf('-');
        if (dash > 0 && long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
        {
            id = new EventId(text[..dash], sequence);
            return true;
        }

        id = default;
        return false;
    }
}
