namespace Perennial.AspNetCore.Stores;

/// <summary>Thrown if a store cannot complete a call. A later attempt may succeed.</summary>
/// <remarks>Over HTTP the answer is 503 (RFC 9110, section 15.6.4).</remarks>
public sealed class RunStoreException : Exception
{
    /// <summary>Creates the exception with a generic message.</summary>
    public RunStoreException()
        : this("The store of runs cannot be used.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The failed work; for logs, never sent to a client.</param>
    public RunStoreException(string message)
        : this(message, innerException: null)
    {
    }

    /// <summary>Creates the exception with a cause.</summary>
    /// <param name="message">The failed work; for logs, never sent to a client.</param>
    /// <param name="innerException">The cause.</param>
    public RunStoreException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
