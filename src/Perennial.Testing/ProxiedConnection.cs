using System.Net;
using System.Net.Sockets;

namespace Perennial.Testing;

/// <summary>
/// One connection through the proxy: two sockets, two flows, and one end, whoever brings it about. What ends one side ends the other in
/// the same way. Thread-safe.
/// </summary>
internal sealed class ProxiedConnection : IDisposable
{
    private readonly FaultPlan _plan;
    private readonly ProxyLine _line;
    private readonly Socket _client;
    private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Flow _downstream;
    private readonly Flow _upstream;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _ending;   // 0 or 1; written by TryEnd only

    public ProxiedConnection(Socket client, FaultPlan plan, ProxyLine line)
    {
        _client = client;
        _plan = plan;
        _line = line;
        _downstream = new Flow(this, _server, client, plan.Downstream, line.CountDownstream);
        _upstream = new Flow(this, client, _server, plan.Upstream, line.CountUpstream);
    }

    public TimeProvider Time => _line.Time;

    public Gate LineGate => _line.Gate;

    /// <summary>Serves the connection to its end. What goes wrong on the network ends the connection and is not thrown.</summary>
    public async Task RunAsync(EndPoint upstream)
    {
        var timedFaults = RunTimedFaultsAsync();
        try
        {
            await (_plan.Opening switch
            {
                Opening.Refuse => RefuseAsync(),
                Opening.Swallow => SwallowAsync(),
                _ => ForwardAsync(upstream),
            }).ConfigureAwait(false);
            TryEnd(CutMode.Close);
        }
        catch (Exception e) when (IsEndOfConnection(e))
        {
            TryEnd(CutMode.Reset);
        }
        await timedFaults.ConfigureAwait(false);
        // Someone else may be ending it right now; the sockets are theirs until they are done.
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>Ends the connection at once and counts it as cut, unless it has ended already.</summary>
    public bool Cut(CutMode how) => TryEnd(how, countAsCut: true);

    /// <summary>Ends the stalls that the plan began.</summary>
    public void Resume()
    {
        _downstream.Resume();
        _upstream.Resume();
    }

    /// <summary>Ends the connection without counting it as cut.</summary>
    public void Abort() => TryEnd(CutMode.Reset);

    /// <summary>To be called when <see cref="RunAsync"/> has completed.</summary>
    public void Dispose()
    {
        _server.Dispose();
        _stop.Dispose();
    }

    private async Task ForwardAsync(EndPoint upstream)
    {
        await _server.ConnectAsync(upstream, _stop.Token).ConfigureAwait(false);
        await Task.WhenAll(CarryAsync(_downstream), CarryUpstreamAsync()).ConfigureAwait(false);

        async Task CarryUpstreamAsync()
        {
            await CarryAsync(_upstream).ConfigureAwait(false);
            // With the client gone a stall has nobody left to test, and would hold the connection for ever.
            _downstream.ResumeForGood();
        }
    }

    private async Task CarryAsync(Flow flow)
    {
        try
        {
            await flow.PumpAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            TryEnd(CutMode.Reset);   // one side was reset; the other flow must not wait for it
        }
    }

    private Task RefuseAsync()
    {
        Cut(CutMode.Reset);
        return Task.CompletedTask;
    }

    private async Task SwallowAsync()
    {
        var discarded = new byte[4096];
        while (await _client.ReceiveAsync(discarded.AsMemory(), _stop.Token).ConfigureAwait(false) > 0)
        {
        }
    }

    private async Task RunTimedFaultsAsync()
    {
        try
        {
            var (downstream, upstream) = (_downstream.RunTimedFaultsAsync(_stop.Token), _upstream.RunTimedFaultsAsync(_stop.Token));
            await Task.WhenAll(downstream, upstream).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The connection ended before its time came.
        }
    }

    private bool TryEnd(CutMode how, bool countAsCut = false)
    {
        if (Interlocked.Exchange(ref _ending, 1) == 1)
        {
            return false;
        }
        // Before the sockets end, so that a client that has seen the cut finds it counted.
        if (countAsCut)
        {
            _line.CountCut();
        }

        _client.End(how);
        _server.End(how);
        _stop.Cancel();
        _ended.SetResult();
        return true;
    }

    private static bool IsEndOfConnection(Exception e) => e is SocketException or ObjectDisposedException or OperationCanceledException;
}
