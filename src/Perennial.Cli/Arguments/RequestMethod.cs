namespace Perennial.Cli.Arguments;

/// <summary>Reads the value of <c>--method</c>.</summary>
internal static class RequestMethod
{
    /// <exception cref="UsageException">The value is not a method, or the method does not accept <c>--data</c>.</exception>
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
            ? throw new UsageException($"--data cannot be sent with {method}; --method must name another method, or be absent for POST")
            : method;
    }
}
