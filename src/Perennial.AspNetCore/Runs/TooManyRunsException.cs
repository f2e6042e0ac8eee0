namespace Perennial.AspNetCore;

/// <summary>
/// Thrown if a run cannot be started, because this process produces <see cref="PerennialServerOptions.MaxRuns"/> already or the host is
/// stopping. A later attempt may succeed.
/// </summary>
/// <remarks>
/// If an endpoint does not catch it, the answer is 503 with <c>Retry-After</c> (RFC 9110, section 15.6.4), also behind
/// <c>UseExceptionHandler</c> and the developer exception page.
/// </remarks>
public sealed class TooManyRunsException : InvalidOperationException
{
    /// <summary>Creates the exception with a generic message.</summary>
    public TooManyRunsException()
        : this("No more runs can be started.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The message, which names the limit.</param>
    public TooManyRunsException(string message)
        : this(message, innerException: null)
    {
    }

    /// <summary>Creates the exception with a cause.</summary>
    /// <param name="message">The message, which names the limit.</param>
    /// <param name="innerException">The cause.</param>
    public TooManyRunsException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
