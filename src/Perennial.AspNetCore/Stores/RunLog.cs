namespace Perennial.AspNetCore.Stores;

/// <summary>One run in a store: the numbered records that its readers read, and the messages that its producer receives.</summary>
/// <remarks>
/// <para>
/// <b>Thread safety.</b> All members may be called from any thread at any time. The object holds no connection and is never disposed. Any
/// number of objects may stand for the same run, on any nodes.
/// </para>
/// <para>
/// <b>Order.</b> Sequences count from 1 without holes. The store records the calls of <see cref="AppendAsync"/> and
/// <see cref="CloseAsync"/>
/// on one object in the order in which they were made, even if the caller does not await one before it makes the next. It records first and
/// wakes readers afterwards, so a reader that was woken finds the record.
/// </para>
/// <para>
/// <b>The end.</b> The end is a record, and it is the last one. Nothing is recorded after it: appends return
/// <see cref="AppendOutcome.Closed"/>, and new messages <see cref="ReceiveOutcome.Ended"/>. Reading goes on as before. After the run was
/// forgotten, reading returns what is still there (in memory: everything) or throws <see cref="RunStoreException"/>.
/// </para>
/// <para>
/// <b>Errors and retries.</b> A call that cannot reach the store throws <see cref="RunStoreException"/>, and a call that is cancelled
/// throws <see cref="OperationCanceledException"/>. In both cases the call may have done its work. Safe to repeat are all reads,
/// <see cref="CloseAsync"/>, and <see cref="ReceiveAsync"/> with a message that has a key or a number. A repeated <see cref="AppendAsync"/>
/// may record its event twice, so the server never repeats it.
/// </para>
/// <para>
/// <b>Growth.</b> Later versions may add members to this class. They will be virtual, and their default works for a store that does not
/// override them.
/// </para>
/// </remarks>
public abstract class RunLog
{
    /// <summary>Gets the name of the run in its URL. It is not logged, because a client that knows it may read the run.</summary>
    public abstract string Id { get; }

    /// <summary>Gets the text that the ids of this run's events begin with. Unlike <see cref="Id"/> it is no secret.</summary>
    public abstract string Epoch { get; }

    /// <summary>
    /// Gets the name of the run's dialect, as in <see cref="NewRun.Dialect"/>; null, the default, for none. A store that does not override
    /// it cannot keep runs with a dialect: starting one throws <see cref="NotSupportedException"/>.
    /// </summary>
    public virtual string? Dialect => null;

    /// <summary>
    /// Gets the owner, the key and the metadata, as in <see cref="NewRun.Description"/>; none by default. A store that does not override it
    /// cannot keep runs with any of them: starting one throws <see cref="NotSupportedException"/>.
    /// </summary>
    public virtual RunDescription Description => RunDescription.None;

    /// <summary>
    /// Gets whether this object was the producer's, and the store knows that another producer has taken the run over; false by default. The
    /// store sets signals of <see cref="RunNews.Messages"/> when it becomes true, which is after the first refused append at the latest.
    /// </summary>
    public virtual bool IsFenced => false;

    /// <summary>Gets whether the run goes on, and which records there are, all at one moment.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The state. Later calls on this object never return an older one.</returns>
    /// <exception cref="RunStoreException">The store cannot be reached, or the run was forgotten.</exception>
    public abstract ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken);

    /// <summary>Records an event of the producer, and then wakes the readers on every node. Waits for no reader.</summary>
    /// <param name="item">The event. The store may keep its data without a copy, so the caller must not change it afterwards.</param>
    /// <param name="cancellationToken">Cancels the call. The event may be recorded nevertheless.</param>
    /// <returns>
    /// Whether the event is recorded, and under which sequence. Only the object that <see cref="RunStore.CreateAsync"/> or
    /// <see cref="RunStore.TakeOverAsync"/> returned last may append; a store of several nodes answers any other with <see cref="AppendOutcome.Fenced"/>.
    /// </returns>
    /// <exception cref="ArgumentException">The event's type contains NUL. Not every store checks this.</exception>
    /// <exception cref="RunStoreException">
    /// The store cannot be reached. Whether the event is recorded is unknown. The store records no later event of this run, since it would
    /// follow a hole: it throws again, or the run ends.
    /// </exception>
    public abstract ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken);

    /// <summary>Records the end, as the last record, and then wakes readers and producer on every node. The first end wins.</summary>
    /// <param name="ending">How the run is to end.</param>
    /// <param name="cancellationToken">Cancels the call. The end may be recorded nevertheless.</param>
    /// <returns>How the run ended. It differs from <paramref name="ending"/> if the run had ended before.</returns>
    /// <exception cref="RunStoreException">
    /// The store cannot be reached. Whether the end is recorded is unknown; a second call is safe.
    /// </exception>
    /// <remarks>
    /// <para>Any node may call this, several may at once, and all get the same answer. It survives:</para>
    /// <list type="bullet">
    /// <item>a full run or a full store: the end always has room;</item>
    /// <item>appends that are still under way on the same object: they are recorded first;</item>
    /// <item>an append that was cancelled before: the end follows it, whether or not it was recorded;</item>
    /// <item>a repetition, on the same object or another, at once or much later: it returns the first end and records nothing.</item>
    /// </list>
    /// <para>
    /// After a store has given up an append, because its database was away for too long, this throws as well. The store then records an end
    /// of its own (<c>store_unavailable</c>) as soon as the database answers, so that no reader waits for ever.
    /// </para>
    /// </remarks>
    public abstract ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken);

    /// <summary>Reads the records that follow a sequence. Never waits for new records.</summary>
    /// <param name="after">
    /// The sequence of the last record that was read; 0 for none. After a sequence beyond the tail there are no records.
    /// </param>
    /// <param name="maxBytes">
    /// About how many bytes to return at most, counting 64 for each record besides its data. At least one record is returned if there is
    /// one.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// Records in order without holes, and the state of the run at the same moment. The first record follows <paramref name="after"/>
    /// directly, unless the store no longer keeps the records between. The slice never changes afterwards.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="after"/> is negative.</exception>
    /// <exception cref="RunStoreException">The store cannot be reached, or the run was forgotten.</exception>
    /// <remarks>In memory this completes at once and allocates nothing.</remarks>
    public abstract ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken);

    /// <summary>Sets a signal at each news from now on, until the subscription is disposed.</summary>
    /// <param name="news">What is news. The end of the run, recorded by any node, always is.</param>
    /// <param name="signal">Set after the news is recorded. It may be set without news, and once for many.</param>
    /// <returns>The subscription. Neither this call nor disposing it ever waits or throws <see cref="RunStoreException"/>.</returns>
    /// <remarks>
    /// Subscribe first and then read: what was recorded before the subscription sets no signal. What another node records sets it too,
    /// after a delay that each store documents.
    /// </remarks>
    public abstract IDisposable Subscribe(RunNews news, RunSignal signal);

    /// <summary>Records a message to the producer, once however often it is sent, and then wakes the producer on its node.</summary>
    /// <param name="message">The message, with what distinguishes it from others (see <see cref="RunMessage"/>).</param>
    /// <param name="cancellationToken">Cancels the call. The message may be recorded nevertheless.</param>
    /// <returns>Whether the message is recorded.</returns>
    /// <exception cref="RunStoreException">
    /// The store cannot be reached. Whether the message is recorded is unknown; a second call is safe if the message has a key or a number.
    /// </exception>
    public abstract ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken);

    /// <summary>Gets how far a sender's messages were received, and which of them were refused, both at one moment.</summary>
    /// <param name="sender">The name that the sender gave itself.</param>
    /// <param name="firstOpen">
    /// The lowest number that the sender has no answer for. Refusals of lower numbers are forgotten, and no call returns them again.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The state; that of an unknown sender is 0 without refusals.</returns>
    /// <exception cref="RunStoreException">The store cannot be reached. A second call is safe.</exception>
    public abstract ValueTask<SenderState> GetSenderAsync(string sender, long firstOpen, CancellationToken cancellationToken);

    /// <summary>Reads messages in the order in which they were recorded. Only the producer's node calls this, one call at a time.</summary>
    /// <param name="after">The position of the last message that was read; 0 for none. The store may forget messages up to here.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// Some of the messages that follow; empty if there are none yet. A message is returned again until a later position is given.
    /// </returns>
    /// <exception cref="RunStoreException">The store cannot be reached. A second call is safe.</exception>
    public abstract ValueTask<IReadOnlyList<RunMessage>> ReadMessagesAsync(long after, CancellationToken cancellationToken);
}
