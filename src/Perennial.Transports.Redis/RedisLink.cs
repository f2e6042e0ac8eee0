using StackExchange.Redis;

namespace Perennial.Transports.Redis;

/// <summary>
/// One connection of StackExchange.Redis that is used until it fails for the first time. The library would connect again by itself; the
/// transport must know of each loss.
/// </summary>
internal sealed class RedisLink : IAsyncDisposable
{
    /// <summary>The longest time that a command may take. Silence is found out earlier by the idle timeout.</summary>
    private const int LongestCommand = 120_000;

    private readonly ConnectionMultiplexer _redis;
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RedisLink(ConnectionMultiplexer redis, int database)
    {
        _redis = redis;
        Database = redis.GetDatabase(database);
        _redis.ConnectionFailed += (_, e) => Lose(new RedisConnectionException(
            e.FailureType, CommandFlags.None, "The connection failed.", e.Exception, CommandStatus.Unknown));
        if (!redis.IsConnected)
        {
            Lose(null);
        }
    }

    public IDatabase Database { get; }

    public ISubscriber Subscriber => _redis.GetSubscriber();

    /// <summary>Fails when the connection is lost.</summary>
    public Task Lost => _lost.Task;

    public static async Task<RedisLink> OpenAsync(RedisTransportOptions options, CancellationToken cancellationToken)
    {
        var connecting = ConnectionMultiplexer.ConnectAsync(SettingsOf(options));
        try
        {
            return new RedisLink(await connecting.WaitAsync(cancellationToken).ConfigureAwait(false), options.Database);
        }
        catch (OperationCanceledException)
        {
            _ = DisposeLateAsync(connecting);
            throw;
        }
        catch (Exception e)
        {
            throw RedisErrors.From(e, isOpening: true);
        }
    }

    /// <summary>Runs a command, and ends the wait when the connection is lost.</summary>
    public async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken cancellationToken)
    {
        try
        {
            var reply = command(Database);
            if (await Task.WhenAny(reply, Lost).WaitAsync(cancellationToken).ConfigureAwait(false) == Lost)
            {
                await Lost.ConfigureAwait(false);
            }

            return await reply.ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw RedisErrors.From(e);
        }
    }

    public ValueTask DisposeAsync()
    {
        Lose(null);
        return _redis.DisposeAsync();
    }

    private void Lose(Exception? e)
    {
        if (_lost.TrySetException(e is null ? RedisErrors.Lost() : RedisErrors.From(e)))
        {
            _ = _lost.Task.Exception;       // observed, because nobody may be waiting
        }
    }

    private static ConfigurationOptions SettingsOf(RedisTransportOptions options)
    {
        var endpoint = options.Endpoint;
        var userInfo = endpoint.UserInfo.Split(':', 2);
        var settings = new ConfigurationOptions
        {
            AbortOnConnectFail = true,
            ConnectRetry = 0,
            ConnectTimeout = (int)options.ConnectTimeout.TotalMilliseconds,
            AsyncTimeout = LongestCommand,
            SyncTimeout = LongestCommand,
            BacklogPolicy = new BacklogPolicy
            {
                QueueWhileDisconnected = options.StreamKey is null,     // the first SUBSCRIBE opens a connection of its own
                AbortPendingOnConnectionFailure = true,
            },
            Protocol = RedisProtocol.Resp3,
            ConfigurationChannel = "",
            TieBreaker = "",
            ClientName = "perennial",
            IncludeDetailInExceptions = false,
            User = options.UserName ?? (userInfo.Length > 1 && userInfo[0].Length > 0 ? Uri.UnescapeDataString(userInfo[0]) : null),
            Password = options.Password ?? (userInfo.Length > 1 ? Uri.UnescapeDataString(userInfo[1]) : null),
        };
        settings.EndPoints.Add(endpoint.IdnHost, endpoint.Port > 0 ? endpoint.Port : 6379);
        if (endpoint.Scheme is "rediss")
        {
            settings.Ssl = true;
            settings.SslClientAuthenticationOptions = host =>
            {
                var tls = new System.Net.Security.SslClientAuthenticationOptions { TargetHost = host };
                options.ConfigureTls?.Invoke(tls);
                return tls;
            };
        }

        return settings;
    }

    private static async Task DisposeLateAsync(Task<ConnectionMultiplexer> connecting)
    {
        try
        {
            await (await connecting.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The attempt failed after the wait for it had ended.
        }
    }
}
