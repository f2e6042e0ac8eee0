using System.Runtime.CompilerServices;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>A run whose producer is gone, for the delegate that goes on with it. Safe from any thread.</summary>
public sealed class ResumedRun
{
    private const int PageBytes = 64 * 1024;

    private readonly long _recorded;
    private readonly CancellationToken _stop;

    internal ResumedRun(StreamRun run, RunWriter writer, IServiceProvider services, long recorded, CancellationToken stop) =>
        (Run, Writer, Services, _recorded, _stop) = (run, writer, services, recorded, stop);

    /// <summary>Gets the run, with its id, owner, key and metadata.</summary>
    public StreamRun Run { get; }

    /// <summary>Gets the writer for further events, whose ids follow those of the recorded ones.</summary>
    public RunWriter Writer { get; }

    /// <summary>Gets the services of the host.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Reads the events that former producers have recorded, in order, page by page as they are needed.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="RunStoreException">While reading: the store cannot be used.</exception>
    public async IAsyncEnumerable<RunRecord> ReadRecordedAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var cursor = 0L; cursor < _recorded;)
        {
            var slice = await Run.Events.ReadAsync(cursor, PageBytes, cancellationToken).ConfigureAwait(false);
            for (var n = 0; n < slice.Records.Length && cursor < _recorded; n++)
            {
                var record = slice.Records.Span[n];
                cursor = record.Sequence;
                yield return record;
            }
        }
    }

    /// <summary>Reads the messages that no former producer has finished, and then those that arrive.</summary>
    /// <param name="cancellationToken">Ends the reading, as the end of the run does.</param>
    /// <returns>
    /// The messages in order. A message is finished when the next one is asked for. A message that a former producer was handling when it
    /// was lost comes again.
    /// </returns>
    /// <exception cref="OperationCanceledException">While reading: the token was cancelled, or the run has ended.</exception>
    /// <exception cref="RunStoreException">While reading: the store cannot be used.</exception>
    /// <remarks>
    /// Messages arrive only if the run was started with <see cref="RunOptions.OnMessage"/>. Use one such sequence at a time.
    /// </remarks>
    public async IAsyncEnumerable<RunMessage> ReadMessagesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop, cancellationToken);
        var news = new RunSignal();
        using var subscription = Run.Events.Subscribe(RunNews.Messages, news);
        await using var leaving = end.Token.UnsafeRegister(static news => ((RunSignal)news!).Set(), news).ConfigureAwait(false);
        for (var position = 0L; ;)
        {
            end.Token.ThrowIfCancellationRequested();
            var messages = await Run.Events.ReadMessagesAsync(position, end.Token).ConfigureAwait(false);
            foreach (var message in messages)
            {
                yield return message;
                position = message.Position;
            }

            if (messages.Count == 0)
            {
                await news.WaitAsync().ConfigureAwait(false);
            }
        }
    }
}
