using Microsoft.Extensions.AI;
using Perennial.AspNetCore.Chats;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>Starts runs whose events are the updates of a model's answer, as JSON. <c>PerennialChatClient</c> reads them.</summary>
/// <remarks>
/// <para>
/// Updates are recorded as they come, one event without a type per update, in the platform's own JSON. The run completes only if the answer
/// is whole (<see cref="ChatRunOptions.RequireFinishReason"/>). A stop of the run cancels the model; a reader that leaves does not.
/// </para>
/// <para>
/// An exception of the model fails the run. A <see cref="RunFailedException"/> reaches readers unchanged. Any other is logged, and readers
/// get only a code and a general message, because messages of providers may contain secrets: <c>model_timeout</c>,
/// <c>model_unreachable</c> (the connection failed or broke off) or <c>model_failed</c>.
/// </para>
/// </remarks>
public static class ChatRuns
{
    /// <summary>Starts a run that is the answer of a model, as the answer of an endpoint.</summary>
    /// <param name="runs">The runs of the application.</param>
    /// <param name="chat">The client of the model. It outlives the request that starts the run, so it must not be a scoped service.</param>
    /// <param name="messages">The messages. They are copied before the method returns.</param>
    /// <param name="chatOptions">Options for the model; null for the client's own.</param>
    /// <param name="runOptions">Options for the run; null for the defaults.</param>
    /// <returns>The run as a result: return it from the endpoint.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; the message names the member and the
    /// range.</exception>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host is
    /// stopping.</exception>
    public static StartingRun Start(
        this StreamRuns runs, IChatClient chat, IEnumerable<ChatMessage> messages, ChatOptions? chatOptions = null,
        RunOptions? runOptions = null) =>
        runs.Start(chat, messages, new ChatRunOptions { Chat = chatOptions, Run = runOptions });

    /// <summary>Starts a run that is the answer of a model, as the answer of an endpoint.</summary>
    /// <param name="runs">The runs of the application.</param>
    /// <param name="chat">The client of the model. It outlives the request that starts the run, so it must not be a scoped service.</param>
    /// <param name="messages">The messages. They are copied before the method returns.</param>
    /// <param name="options">Options for model and run.</param>
    /// <returns>The run as a result: return it from the endpoint.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; the message names the member and the
    /// range.</exception>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host is
    /// stopping.</exception>
    public static StartingRun Start(this StreamRuns runs, IChatClient chat, IEnumerable<ChatMessage> messages, ChatRunOptions options)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var answer = ModelAnswer.Of(chat, messages, options);
        return runs.Start(answer, answer.TypeInfo, options.Run);
    }

    /// <summary>Starts a run that is the answer of a model, and waits until it is recorded.</summary>
    /// <param name="runs">The runs of the application.</param>
    /// <param name="chat">The client of the model. It must live until the run has ended.</param>
    /// <param name="messages">The messages. They are copied before the method returns.</param>
    /// <param name="chatOptions">Options for the model; null for the client's own.</param>
    /// <param name="runOptions">Options for the run; null for the defaults.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range; the message names the member and the
    /// range.</exception>
    /// <exception cref="TooManyRunsException"><see cref="PerennialServerOptions.MaxRuns"/> runs are being produced, or the host is
    /// stopping.</exception>
    /// <exception cref="RunStoreException">The store did not record the run, and the model was not asked.</exception>
    public static Task<StartedRun> StartAsync(
        this StreamRuns runs, IChatClient chat, IEnumerable<ChatMessage> messages, ChatOptions? chatOptions = null,
        RunOptions? runOptions = null) =>
        runs.StartAsync(chat, messages, new ChatRunOptions { Chat = chatOptions, Run = runOptions });

    /// <summary>Starts a run that is the answer of a model, and waits until it is recorded.</summary>
    /// <param name="runs">The runs of the application.</param>
    /// <param name="chat">The client of the model. It must live until the run has ended.</param>
    /// <param name="messages">The messages. They are copied before the method returns.</param>
    /// <param name="options">Options for model and run.</param>
    /// <returns>The run. Every node that shares the store finds it by its <see cref="StreamRun.Id"/>.</returns>
    /// <remarks>Throws as <see cref="StartAsync(StreamRuns, IChatClient, IEnumerable{ChatMessage}, ChatOptions?, RunOptions?)"/>.</remarks>
    public static Task<StartedRun> StartAsync(
        this StreamRuns runs, IChatClient chat, IEnumerable<ChatMessage> messages, ChatRunOptions options)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var answer = ModelAnswer.Of(chat, messages, options);
        return runs.StartAsync(answer, answer.TypeInfo, options.Run);
    }

    /// <summary>
    /// Adds a client that makes each streamed answer a run of this application. Its updates carry a
    /// <see cref="ChatResponseUpdate.ContinuationToken"/>: with that in <see cref="ChatOptions.ContinuationToken"/>, and without messages,
    /// any node of the application goes on reading the same answer after that update.
    /// </summary>
    /// <param name="builder">The pipeline. Clients that were added before see the whole answer as one stream; those after are part of the
    /// run.</param>
    /// <param name="runs">The runs of the application. Null takes them from the services that build the pipeline.</param>
    /// <param name="options">Options for the runs; null for the defaults. <see cref="ChatRunOptions.Chat"/> is not used.</param>
    /// <returns>The same pipeline.</returns>
    /// <remarks>
    /// A caller that cancels or leaves does not stop the run; <see cref="StreamRun.StopAsync"/> and
    /// <see cref="RunOptions.StopWhenUnread"/> do. An answer that is not whole throws: <see cref="RunFailedException"/> if it failed,
    /// <see cref="OperationCanceledException"/> if it was stopped. Updates come from the run's JSON, so they have no
    /// <see cref="ChatResponseUpdate.RawRepresentation"/>. <see cref="IChatClient.GetResponseAsync"/> without a token of a run is passed on
    /// unchanged and makes no run.
    /// </remarks>
    public static ChatClientBuilder UsePerennial(this ChatClientBuilder builder, StreamRuns? runs = null, ChatRunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use((inner, services) => new RunChatClient(inner, runs ?? RunsOf(services), options ?? new ChatRunOptions()));
    }

    private static StreamRuns RunsOf(IServiceProvider services) => services.GetService(typeof(StreamRuns)) as StreamRuns
        ?? throw new InvalidOperationException(
            "UsePerennial found no StreamRuns: call AddPerennialServer on the services, or pass the runs to UsePerennial.");
}
