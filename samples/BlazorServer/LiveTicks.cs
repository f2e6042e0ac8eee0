using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Perennial;
using Perennial.Management;
using Perennial.Sse;

namespace BlazorServer;

/// <summary>What the page shows.</summary>
public sealed record Shown(string State, int Count, string Text);

/// <summary>Reads one stream for all who look at the page, and tells them what changes.</summary>
public sealed class LiveTicks(TransportManager manager, IServer server, IHostApplicationLifetime lifetime) : BackgroundService
{
    private event Action? Changed;

    public Shown Current
    {
        get;
        private set
        {
            field = value;
            Changed?.Invoke();
        }
    } = new("Idle", 0, "");

    /// <summary>What there is to show, and then each change; a viewer that is slow skips some.</summary>
    public async IAsyncEnumerable<Shown> WatchAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        void Tell() => news.Writer.TryWrite(true);
        Changed += Tell;
        try
        {
            do
            {
                yield return Current;
            }
            while (await news.Reader.ReadAsync(ct));
        }
        finally
        {
            Changed -= Tell;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, lifetime.ApplicationStarted).ContinueWith(_ => { }, TaskScheduler.Default);
        var address = server.Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var transport = manager.Create(new SseTransportOptions { Endpoint = new Uri($"{address}/ticks"), EndOfStream = EndOfStreamPolicy.Reconnect });
        transport.Connected += (_, _) => Current = Current with { State = "Connected" };
        transport.Reconnecting += (_, e) => Current = Current with { State = $"Reconnecting, attempt {e.Attempt}" };
        await foreach (var message in transport.ReadAllAsync(stoppingToken))
        {
            Current = new Shown($"{transport.State}", Current.Count + 1, message.Text);
        }
    }
}
