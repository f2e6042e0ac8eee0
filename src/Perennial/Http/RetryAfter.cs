using System.Globalization;
using System.Net.Http.Headers;

namespace Perennial.Http;

/// <summary>
/// The delay that a server requests before the next attempt: <c>retry-after-ms</c>, as model providers send it, or <c>Retry-After</c>, in
/// seconds or as a date (RFC 9110, section 10.2.3). Other values are ignored.
/// </summary>
internal static class RetryAfter
{
    private const double MostMilliseconds = long.MaxValue / (double)TimeSpan.TicksPerMillisecond;

    /// <summary>
    /// Reads the delay. <see langword="null"/> if the server requests none. A number that is too large is the longest possible delay.
    /// </summary>
    public static TimeSpan? Read(HttpResponseMessage response, TimeProvider time) =>
        Values(response, "retry-after-ms").Select(Milliseconds).FirstOrDefault(static wait => wait is not null)
        ?? Values(response, "Retry-After")
            .Select(value => Seconds(value) ?? Until(value, time))
            .FirstOrDefault(static wait => wait is not null);

    private static HeaderStringValues Values(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values : default;

    private static TimeSpan? Milliseconds(string value) =>
        double.TryParse(value.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? Wait(number) : null;

    private static TimeSpan? Seconds(string value) =>
        value.Trim() is { Length: > 0 } digits && digits.All(char.IsAsciiDigit)
            ? Wait(double.Parse(digits, CultureInfo.InvariantCulture) * 1000)
            : null;

    /// <summary>The time until a date. A date in the past is no delay.</summary>
    private static TimeSpan? Until(string value, TimeProvider time) =>
        RetryConditionHeaderValue.TryParse(value.Trim(), out var header) && header.Date is { } date
            ? TimeSpan.FromTicks(Math.Max(0, (date - time.GetUtcNow()).Ticks))
            : null;

    /// <summary>Rounds up to whole milliseconds. A timer ignores fractions and would otherwise end too early.</summary>
    private static TimeSpan Wait(double milliseconds) =>
        milliseconds < MostMilliseconds ? TimeSpan.FromMilliseconds(Math.Ceiling(milliseconds)) : TimeSpan.MaxValue;
}
