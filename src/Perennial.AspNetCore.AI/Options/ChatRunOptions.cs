using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Perennial.AspNetCore;

/// <summary>Options for runs that are answers of a model. Every default works without changes. Immutable.</summary>
public sealed record ChatRunOptions
{
    /// <summary>
    /// Gets the options for the model. Null, the default, uses the client's own. Not used by <c>UsePerennial</c>, whose callers give them.
    /// </summary>
    public ChatOptions? Chat { get; init; }

    /// <summary>Gets the options for the run. Null uses the defaults.</summary>
    public RunOptions? Run { get; init; }

    /// <summary>
    /// Gets whether an answer must end with a finish reason (<see cref="ChatResponseUpdate.FinishReason"/>). Default <see
    /// langword="true"/>: an answer that ends without one fails with the code <c>incomplete_answer</c>, because most clients of providers
    /// end quietly if their connection is closed in the middle of an answer. Set it to <see langword="false"/> for a client that never sets
    /// finish reasons; then an answer that was cut in this way passes as complete.
    /// </summary>
    /// <remarks>
    /// Only usage may follow the finish reason. Text, calls or results of tools after it, as in a loop that invokes functions, begin
    /// another part, which needs a finish reason of its own. So an answer that ends with the result of a function needs <see
    /// langword="false"/>.
    /// </remarks>
    public bool RequireFinishReason { get; init; } = true;

    /// <summary>
    /// Gets the JSON options for updates, for content types of your own. Null uses <see cref="AIJsonUtilities.DefaultOptions"/>. Updates
    /// are always written on one line.
    /// </summary>
    public JsonSerializerOptions? SerializerOptions { get; init; }
}
