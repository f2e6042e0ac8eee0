namespace Perennial.Testing;

/// <summary>
/// A transport, or what else is checked, does not show a behavior. The message names the behavior, what was expected, what happened, and
/// the seed.
/// </summary>
public sealed class BehaviorException : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="message">What was expected and what happened.</param>
    /// <param name="innerException">The cause, or <see langword="null"/>.</param>
    public BehaviorException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
