namespace Perennial.Cli.Arguments;

/// <summary>Reads what <c>--method</c> was given.</summary>
internal static class RequestMethod
{
    /// <exception cref="UsageException">It is no method, or one that takes no <c>--data</c>.</exception>
    public static HttpMethod? Parse(string? name, string? data)
    {
        if (name is null)
        {
            return null;
        }

        HttpMethod method;
        try
        {
            method = HttpMethod.Parse(name);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new UsageException($"--method must be the name of an HTTP method, such as POST, not '{name}'");
        }

        return data is not null && (method == HttpMethod.Get || method == HttpMethod.Head)
            ? throw new UsageException($"--data cannot be sent with {method}; --method must be another, or absent for POST")
            : method;
    }
}
