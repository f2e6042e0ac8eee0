namespace Perennial.AspNetCore;

/// <summary>Thrown by a producer to end its run as failed with a message for the readers.</summary>
/// <remarks>For any other exception readers get a generic message. Its details are logged and never sent.</remarks>
public sealed class RunFailedException : Exception
{
    internal const string DefaultMessage = "The run failed.";
    internal const string DefaultCode = "run_failed";

    /// <summary>The code of a run whose producer returned before the end of the run's dialect.</summary>
    internal const string EndMissing = "end_missing";

    /// <summary>Creates the exception with a generic message and the code <c>run_failed</c>.</summary>
    public RunFailedException()
        : this(DefaultMessage)
    {
    }

    /// <summary>Creates the exception with the code <c>run_failed</c>.</summary>
    /// <param name="message">The message, sent unchanged to every reader.</param>
    public RunFailedException(string message)
        : this(message, DefaultCode)
    {
    }

    /// <summary>Creates the exception with the code <c>run_failed</c> and a cause, which is not sent.</summary>
    /// <param name="message">The message, sent unchanged to every reader.</param>
    /// <param name="innerException">The cause, for the server's logs.</param>
    public RunFailedException(string message, Exception? innerException)
        : this(message, DefaultCode, innerException)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The message, sent unchanged to every reader.</param>
    /// <param name="code">A short code for programs, sent unchanged to every reader.</param>
    /// <param name="innerException">The cause, for the server's logs; not sent.</param>
    /// <exception cref="ArgumentException"><paramref name="code"/> is null or empty.</exception>
    public RunFailedException(string message, string code, Exception? innerException = null)
        : base(message, innerException)
    {
        ArgumentException.ThrowIfNullOrEmpty(code);
        Code = code;
    }

    /// <summary>Gets the short code for programs, such as <c>model_overloaded</c>. Never empty.</summary>
    public string Code { get; }
}
