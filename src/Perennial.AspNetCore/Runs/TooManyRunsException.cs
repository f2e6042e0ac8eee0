namespace Perennial.AspNetCore;

/// <summary>No run was started, because <see cref="PerennialServerOptions.MaxRuns"/> are being produced already, or the host is stopping. Trying later may work.</summary>
/// <remarks>
/// Where an endpoint lets it pass, the answer is 503 with <c>Retry-After</c> (RFC 9110, section 15.6.4), behind <c>UseExceptionHandler</c> and the
/// developer exception page too.
/// </remarks>
public sealed class TooManyRunsException : InvalidOperationException
{
    /// <summary>Creates the exception with a generic message.</summary>
    public TooManyRunsException()
        : this("No more runs can be started.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">Names the limit that was hit.</param>
    public TooManyRunsException(string message)
        : this(message, innerException: null)
    {
    }

    /// <summary>Creates the exception with a cause.</summary>
    /// <param name="message">Names the limit that was hit.</param>
    /// <param name="innerException">The cause.</param>
    public TooManyRunsException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
