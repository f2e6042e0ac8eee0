using System.Globalization;

namespace Perennial.Wire;

/// <summary>
/// The preference with which a poll limits how long the server may hold it, in seconds: <c>Prefer: wait=5</c> (RFC 7240, section 4.3).
/// </summary>
internal static class WaitPreference
{
    public const string HeaderName = "Prefer";

    private const string Name = "wait=";

    /// <summary>The preference for a longest wait, in whole seconds.</summary>
    public static string Format(TimeSpan longest) => string.Create(CultureInfo.InvariantCulture, $"{Name}{(int)longest.TotalSeconds}");

    /// <summary>
    /// Reads one preference. Returns <see langword="null"/> if it is another one, or if it is not a whole number of seconds.
    /// </summary>
    public static TimeSpan? Parse(string preference) =>
        preference.StartsWith(Name, StringComparison.OrdinalIgnoreCase)
        && int.TryParse(preference.AsSpan(Name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
