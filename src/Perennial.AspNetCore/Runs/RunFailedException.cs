namespace Perennial.AspNetCore;

/// <summary>Thrown by a producer to end its run as failed with words meant for the readers.</summary>
/// <remarks>Any other exception reaches readers as a generic message; its details are logged and never sent.</remarks>
public sealed class RunFailedException : Exception
{
    internal const string DefaultMessage = "The run failed.";
    internal const string DefaultCode = "run_failed";

    /// <summary>Creates the exception with a generic message and the code <c>run_failed</c>.</summary>
    public RunFailedException()
        : this(DefaultMessage)
    {
    }

    /// <summary>Creates the exception with the code <c>run_failed</c>.</summary>
    /// <param name="message">Sent to every reader as it is.</param>
    public RunFailedException(string message)
        : this(message, DefaultCode)
    {
    }

    /// <summary>Creates the exception with the code <c>run_failed</c> and a cause, which is not sent.</summary>
    /// <param name="message">Sent to every reader as it is.</param>
    /// <param name="innerException">The cause, for logs on this side.</param>
    public RunFailedException(string message, Exception? innerException)
        : this(message, DefaultCode, innerException)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">Sent to every reader as it is.</param>
    /// <param name="code">Sent to every reader as it is; a short word for programs to compare.</param>
    /// <param name="innerException">The cause, for logs on this side; not sent.</param>
    /// <exception cref="ArgumentException"><paramref name="code"/> is null or empty.</exception>
    public RunFailedException(string message, string code, Exception? innerException = null)
        : base(message, innerException)
    {
        ArgumentException.ThrowIfNullOrEmpty(code);
        Code = code;
    }

    /// <summary>A short word for programs to compare, such as <c>model_overloaded</c>. Never empty.</summary>
    public string Code { get; }
}
