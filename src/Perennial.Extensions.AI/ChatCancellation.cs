namespace Perennial;

/// <summary>What a caller that cancels, or leaves before the end, does to the answer.</summary>
public enum ChatCancellation
{
    /// <summary>The caller leaves. The server goes on and keeps the answer, which can be read on later.</summary>
    Leave,

    /// <summary>The server is asked to stop, so that the model stops too. Nothing is read on later than what was recorded.</summary>
    Stop,
}
