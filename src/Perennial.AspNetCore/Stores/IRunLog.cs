namespace Perennial.AspNetCore.Stores;

/// <summary>One run in a store: the numbered records that its readers read, and the messages that its producer receives.</summary>
/// <remarks>
/// <para>
/// Safe from any thread. Holding one holds no connection, and it is never disposed. After its run was forgotten, reading returns what is still
/// there (in memory: everything) or throws <see cref="RunStoreException"/>.
/// </para>
/// <para>
/// Sequences count from 1 without holes. <see cref="AppendAsync"/> and <see cref="CloseAsync"/> on one object are recorded in the order of
/// the calls, also where a caller does not wait for one before it makes the next. A record is recorded before anybody is woken for it.
/// </para>
/// </remarks>
public interface IRunLog
{
    /// <summary>The name of the run in its URL. Whoever knows it may read the run, so it is not logged.</summary>
    string Id { get; }

    /// <summary>What the ids of this run's events begin with; unlike <see cref="Id"/> no secret.</summary>
    string Epoch { get; }

    /// <summary>Whether the run goes on, and which records there are, all at one moment.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken);

    /// <summary>Records an event of the producer, and then wakes the readers on every node. Waits for none of them.</summary>
    /// <param name="item">The event. The store may keep its data without a copy; the caller does not change it any more.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether it is recorded, and under which sequence. Only for the object that <see cref="IRunStore.CreateAsync"/> returned.</returns>
    ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken);

    /// <summary>Records the end, as the last record. The first end wins. It has room even where the run is full. Any node may call this.</summary>
    /// <param name="ending">How the run is to end.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>How the run did end: otherwise than asked where it had ended before.</returns>
    ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken);

    /// <summary>Reads what follows a sequence. Never waits for records to come.</summary>
    /// <param name="after">The sequence that was read last; 0 for none. What is beyond the tail has nothing after it.</param>
    /// <param name="maxBytes">About how many bytes to return at most, 64 for each record included; where there is any record, one at least.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>
    /// Records in order without holes, and the state of the run at the same moment. The first has a higher sequence than the next one only
    /// where those between are no longer kept.
    /// </returns>
    /// <remarks>In memory this completes at once and allocates nothing. What was returned stays as it is.</remarks>
    ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken);

    /// <summary>From now on sets a signal whenever there is news, until the subscription is disposed.</summary>
    /// <param name="news">What is news. The end of the run, by whichever node, always is.</param>
    /// <param name="signal">Set after the news is recorded. May be set without news, and once for many.</param>
    /// <returns>The subscription. Never waits, nor does disposing it.</returns>
    /// <remarks>
    /// A waiter subscribes first and then looks: what was recorded before the subscription sets no signal. What is recorded on another node
    /// sets it too, after a delay of the store's own (see there).
    /// </remarks>
    IDisposable Subscribe(RunNews news, RunSignal signal);

    /// <summary>Records a message to the producer, exactly once however often it is sent, and then wakes the producer on whichever node it is.</summary>
    /// <param name="message">The message, with what tells it from others (see <see cref="RunMessage"/>).</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>What became of it.</returns>
    ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken);

    /// <summary>The number up to which everything from a sender has been received.</summary>
    /// <param name="sender">The sender, as it named itself.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The number; 0 for a sender that is unknown or forgotten.</returns>
    ValueTask<long> GetReceivedAsync(string sender, CancellationToken cancellationToken);

    /// <summary>Reads messages in the order in which they were recorded. For the producer's node alone, which asks once for each position.</summary>
    /// <param name="after">The position of the message read last; 0 for none. Messages up to here are done with and may be forgotten.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Some of the messages that follow; empty where there are none yet. Each is handed over as long as it is not done with.</returns>
    ValueTask<IReadOnlyList<RunMessage>> ReadMessagesAsync(long after, CancellationToken cancellationToken);
}
