using System.Globalization;

namespace Perennial;

/// <summary>
/// The checks behind every <c>Validate()</c>. The message of a failure contains the option's name and what is accepted. A failure is
/// thrown, or collected while <see cref="Collect"/> runs.
/// </summary>
internal static class OptionCheck
{
    /// <summary>The failures of this thread while <see cref="Collect"/> runs; null otherwise. A check never leaves its thread.</summary>
    [ThreadStatic]
    private static List<ArgumentException>? _noted;

    /// <summary>Runs a <c>Validate()</c> and returns all its failures, not only the first.</summary>
    public static IReadOnlyList<ArgumentException> Collect(Action validate)
    {
        var outer = _noted;
        var noted = _noted = [];
        try
        {
            validate();
        }
        catch (ArgumentException e)
        {
            // Either the option is missing and nothing more can be checked, or a subclass threw an exception of its own.
            noted.Add(e);
        }
        finally
        {
            _noted = outer;
        }

        return noted;
    }

    public static T NotNull<T>(T? value, string name)
        where T : class =>
        value ?? throw new ArgumentNullException(name, $"{name} must not be null.");

    public static void Range(TimeSpan value, TimeSpan least, TimeSpan most, string name)
    {
        if (value < least || value > most)
        {
            Fail(new ArgumentOutOfRangeException(name, value, $"{name} must be between {Words(least)} and {Words(most)}."));
        }
    }

    public static void RangeOrInfinite(TimeSpan? value, TimeSpan least, TimeSpan most, string name)
    {
        if (value is { } set && set != Timeout.InfiniteTimeSpan && (set < least || set > most))
        {
            Fail(new ArgumentOutOfRangeException(
                name, set, $"{name} must be between {Words(least)} and {Words(most)}, or Timeout.InfiniteTimeSpan."));
        }
    }

    public static void Range(int value, int least, int most, string name)
    {
        if (value < least || value > most)
        {
            Fail(new ArgumentOutOfRangeException(
                name, value, string.Create(CultureInfo.InvariantCulture, $"{name} must be between {least:N0} and {most:N0}.")));
        }
    }

    public static void Range(double value, double least, double most, string name, string? accepted = null)
    {
        if (!(value >= least && value <= most))
        {
            Fail(new ArgumentOutOfRangeException(
                name,
                value,
                string.Create(CultureInfo.InvariantCulture, $"{name} must be {accepted ?? $"between {least} and {most}"}.")));
        }
    }

    public static void Defined<T>(T value, string name)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            Fail(new ArgumentOutOfRangeException(name, value, $"{name} must be one of {string.Join(", ", Enum.GetNames<T>())}."));
        }
    }

    public static void Endpoint(Uri? value, string name, IReadOnlyList<string> schemes)
    {
        if (value is null)
        {
            Fail(new ArgumentNullException(name, $"{name} must not be null."));
        }
        else if (!value.IsAbsoluteUri || !schemes.Contains(value.Scheme, StringComparer.Ordinal))
        {
            Fail(new ArgumentException($"{name} must be an absolute URL that starts with {string.Join("://, ", schemes)}://.", name));
        }
    }

    /// <summary>
    /// The scheme, host and port. The origin of a WebSocket is the one of the HTTP request that opens it, that of a Unix socket is its
    /// file.
    /// </summary>
    public static string? OriginOf(Uri url) =>
        UnixSocketUrl.TryRead(url, out var socket) ? $"unix:{socket.File}"
        : url.IsAbsoluteUri ? $"{(url.Scheme switch { "ws" => "http", "wss" => "https", var other => other })}://{url.IdnHost}:{url.Port}"
        : null;

    /// <summary>Checks a condition that concerns more than one option.</summary>
    public static void Require(bool condition, string name, string message)
    {
        if (!condition)
        {
            Fail(new ArgumentException(message, name));
        }
    }

    /// <summary>Checks an event id. It is sent in a header and in a line, so it must not contain a character that ends either.</summary>
    public static void EventId(string? value, string name)
    {
        if (value is not null && value.AsSpan().ContainsAny("\r\n\0"))
        {
            Fail(new ArgumentException($"{name} must not contain CR, LF or NUL.", name));
        }
    }

    public static void Header(string headerName, string? value, string name)
    {
        if (headerName.Length == 0 || !headerName.All(IsTokenCharacter))
        {
            Fail(new ArgumentException($"{name} holds a header whose name is not a token (RFC 9110, 5.6.2).", name));
        }

        if (value is null || !value.All(IsHeaderCharacter))
        {
            Fail(new ArgumentException(
                $"The value of header '{headerName}' in {name} must be printable ASCII: no CR, LF, NUL or letters beyond it.", name));
        }
    }

    /// <summary>
    /// Visible characters, space and tab (RFC 9110, section 5.5). The HTTP stack refuses others only when it sends the request.
    /// </summary>
    private static bool IsHeaderCharacter(char c) => c is '\t' or (>= ' ' and <= '~');

    public static void Token(string? value, string name)
    {
        if (string.IsNullOrEmpty(value) || !value.All(IsTokenCharacter))
        {
            Fail(
                new ArgumentException(
                    $"{name} must hold tokens (RFC 9110, 5.6.2): letters, digits and marks without spaces, commas or slashes.", name));
        }
    }

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    private static void Fail(ArgumentException error)
    {
        if (_noted is null)
        {
            throw error;
        }

        _noted.Add(error);
    }

    private static string Words(TimeSpan value) => value switch
    {
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{value.TotalHours} h"),
        { TotalMinutes: >= 1, Seconds: 0 } => string.Create(CultureInfo.InvariantCulture, $"{value.TotalMinutes} min"),
        { TotalSeconds: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds} ms"),
    };
}
