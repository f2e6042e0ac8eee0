using System.Globalization;
using Perennial.Testing;

namespace Perennial.Cli.Demo;

/// <summary>One reader with its own faulty line, and the count of its tokens. The properties may be read at any time.</summary>
internal sealed class DemoLane : IAsyncDisposable
{
    private readonly FaultProxy _proxy;
    private readonly DemoScript _script;
    private readonly TaskCompletionSource<StreamEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _leastCuts;
    private readonly Func<int>? _productions;
    private int _cuts;              // written by the transport's events, one at a time

    private DemoLane(string name, FaultProxy proxy, Transport transport, int leastCuts, DemoScript script, Func<int>? productions)
    {
        Name = name;
        _proxy = proxy;
        _script = script;
        _leastCuts = leastCuts;
        _productions = productions;
        Transport = transport;
        Tally = new Tally(script.Tokens);
        transport.Reconnecting += (_, _) => Interlocked.Increment(ref _cuts);
        transport.MessageReceived += (_, message) => Count(message);
        transport.Closed += (_, closed) => _ended.TrySetResult(closed.End);
    }

    public string Name { get; }

    public Transport Transport { get; }

    public Tally Tally { get; }

    /// <summary>Connections that were lost and replaced.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    public int Tokens => Math.Min(Tally.Last, TokensSent);

    public int TokensSent => _script.Tokens.Count;

    public bool HasKeptItsPromise => IsCompleted && Tally.IsWhole && Cuts >= _leastCuts && IsPaidOnce;

    /// <summary>The result as one line.</summary>
    public string Verdict => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}: {Cuts} cuts, {Tally.Lost} lost, {Tally.Repeated} repeated ({TokensSent:N0} tokens){Production}{Objection}");

    private bool IsCompleted => _ended.Task is { IsCompletedSuccessfully: true, Result.Reason: StreamEndReason.Completed };

    private bool IsPaidOnce => _productions is null || _productions() == 1;

    private string Production =>
        _productions is null ? "" : string.Create(CultureInfo.InvariantCulture, $", {_productions()} production{(IsPaidOnce ? "" : "s")}");

    private string Objection => this switch
    {
        { HasKeptItsPromise: true } => "",
        { IsCompleted: false } => $", but the stream is incomplete: {Transport.GetMetrics().LastError?.Message}",
        { IsPaidOnce: false } => ", but the answer should be produced once",
        { Tally.IsWhole: false } => ", and the text differs from the sent text",
        _ => string.Create(CultureInfo.InvariantCulture, $", but at least {_leastCuts} cuts were expected"),
    };

    /// <summary>Starts a faulty line in front of the stream, and a reader that reads over it.</summary>
    /// <param name="name">The name of the lane.</param>
    /// <param name="stream">The URL of the stream.</param>
    /// <param name="faults">The faults of the line.</param>
    /// <param name="script">The content of the stream.</param>
    /// <param name="createTransport">Creates the reader.</param>
    /// <param name="leastCuts">How many of the line's cuts the reader must notice.</param>
    /// <param name="productions">How often the server produced the reader's answer; null if the reader starts none.</param>
    public static DemoLane Start(
        string name,
        Uri stream,
        FaultSchedule faults,
        DemoScript script,
        Func<Uri, Transport> createTransport,
        int leastCuts,
        Func<int>? productions = null)
    {
        var proxy = FaultProxy.Start(stream, faults.PlanFor);
        return new DemoLane(name, proxy, createTransport(proxy.Address), leastCuts, script, productions);
    }

    /// <summary>Reads until the stream ends, with or without success.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Transport.ConnectAsync(cancellationToken);
        }
        catch (TransportException)
        {
            // The result line reports it.
        }

        await _ended.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Transport.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    /// <summary>Reads the number of an event, which is the end of the server's id.</summary>
    private void Count(StreamMessage message)
    {
        var number = int.Parse(message.Id![(message.Id!.LastIndexOf('-') + 1)..], CultureInfo.InvariantCulture);
        Tally.Add(number, message.Deserialize(ChatJson.Default.ChatChunk)!.Choices[0].Delta.Content);
    }
}
