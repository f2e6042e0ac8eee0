using Microsoft.Extensions.Logging;
using Npgsql;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>Listens on one connection for runs with news from other nodes, and wakes their readers on this node.</summary>
/// <remarks>Notifications during a lost connection are lost. So after each reconnect the listener checks every watched run.</remarks>
internal sealed class WakeUpListener(Database database, string channel, WakeUps wakeUps, RunViews views, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);      // after this silence the connection is tested

    private volatile bool _isListening;

    /// <summary>Whether news arrives at once. Otherwise the sweep finds it within a second.</summary>
    public bool IsListening => _isListening;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stop);
            }
            catch (Exception e) when (stop.IsCancellationRequested || Database.IsFailure(e))
            {
                _isListening = false;
                if (stop.IsCancellationRequested)
                {
                    return;
                }

                database.OnLost(e);
                await Task.Delay(RetryDelay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenAsync(stop);
        connection.Notification += (_, news) => wakeUps.Deliver(news.Payload, views);
        await using (var listen = connection.Command($"LISTEN {channel}"))
        {
            await listen.ExecuteNonQueryAsync(stop);
        }

        views.MarkAllStale();
        _isListening = true;
        database.OnReached();
        Log.Listening(logger);
        while (true)
        {
            if (!await connection.WaitAsync(Quiet, stop))
            {
                await TryLineAsync(connection, stop);
            }
        }
    }

    private static async Task TryLineAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var ping = connection.Command("SELECT 1");
        await ping.ExecuteNonQueryAsync(stop);
    }
}
