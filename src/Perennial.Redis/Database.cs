using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes;
using StackExchange.Redis;

namespace Perennial.Redis;

/// <summary>The connection of one node to Redis, and the handling of its failures. Safe from any thread.</summary>
/// <remarks>
/// The connection is shared by all commands, so none of them blocks. It is opened again by StackExchange.Redis. Commands wait for that up
/// to <c>asyncTimeout</c>, and if it has taken longer than a second already they fail at once.
/// </remarks>
internal sealed class Database(string configuration, ILogger logger) : IAsyncDisposable, IDisposable
{
    private const CommandFlags Once = CommandFlags.DemandMaster | CommandFlags.CommandRetryNever;
    private const int ReconnectMilliseconds = 250;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly Version Oldest = new(6, 2);

    private ConnectionMultiplexer? _connection;
    private int _isAway;
    private long _awaySince;

    /// <summary>Raised when a connection is open again.</summary>
    public event Action? Restored;

    /// <exception cref="ArgumentException">The configuration cannot be read.</exception>
    public static ConfigurationOptions Parse(string configuration)
    {
        var options = ConfigurationOptions.Parse(configuration);
        if (options.EndPoints.Count == 0)
        {
            throw new ArgumentException("The configuration names no server, such as localhost:6379.", nameof(configuration));
        }

        options.ClientName ??= "Perennial";
        options.AbortOnConnectFail = true;
        options.ReconnectRetryPolicy = new LinearRetry(ReconnectMilliseconds);
        return options;
    }

    /// <exception cref="RunStoreException">Redis cannot be reached, or is too old.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            var connection = await ConnectionMultiplexer.ConnectAsync(Parse(configuration)).WaitAsync(cancellationToken);
            _connection = connection;
            connection.ConnectionRestored += (_, _) => Restored?.Invoke();
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Unusable(e);
        }

        foreach (var server in _connection.GetServers().Where(static server => server.IsConnected && server.Version < Oldest))
        {
            throw new RunStoreException($"The store of runs needs Redis {Oldest} or newer. {server.EndPoint} is version {server.Version}.");
        }
    }

    /// <summary>Executes a script that may be executed twice. It is tried once more if the connection is lost.</summary>
    /// <exception cref="RunStoreException">Redis cannot be reached, or refused the script.</exception>
    public Task<RedisResult> RunAsync(string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken) =>
        RunAsync(script, keys, values, attempts: 2, cancellationToken);

    /// <summary>Executes a script that must not be executed twice.</summary>
    /// <exception cref="RunStoreException">Redis cannot be reached, or refused the script.</exception>
    public Task<RedisResult> RunOnceAsync(string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken) =>
        RunAsync(script, keys, values, attempts: 1, cancellationToken);

    /// <summary>Executes a script. Failures are those of StackExchange.Redis.</summary>
    public Task<RedisResult> EvaluateAsync(string script, RedisKey[] keys, RedisValue[] values)
    {
        if (Volatile.Read(ref _isAway) == 1 && !Connection.IsConnected
            && TimeProvider.System.GetElapsedTime(Volatile.Read(ref _awaySince)) > Patience)
        {
            return Task.FromException<RedisResult>(new RedisConnectionException(
                ConnectionFailureType.UnableToConnect, Once, "The connection to Redis is lost.", innerException: null,
                CommandStatus.Unknown));
        }

        return Connection.GetDatabase().ScriptEvaluateAsync(script, keys, values, Once);
    }

    public async Task SubscribeAsync(RedisChannel channel, Action<string> onMessage)
    {
        try
        {
            await Connection.GetSubscriber().SubscribeAsync(channel, (_, payload) => onMessage(payload.ToString()));
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Unusable(e);
        }
    }

    /// <summary>Publishes without waiting for the server. Nothing tells whether the message got there.</summary>
    public void Publish(RedisChannel channel, string payload) =>
        Connection.GetSubscriber().Publish(channel, payload, Once | CommandFlags.FireAndForget);

    public bool IsSubscribed(RedisChannel channel) => _connection?.GetSubscriber().IsConnected(channel) == true;

    /// <summary>Whether Redis or the connection caused the exception, and not a defect of this code.</summary>
    public static bool IsFailure(Exception exception) =>
        exception is RedisException or TimeoutException or ObjectDisposedException;

    /// <summary>Whether Redis refused a script for what is in it or in its keys, so that a repeat cannot succeed.</summary>
    public static bool IsRefusal(Exception exception) => exception is RedisServerException refusal
        && refusal.Message.Split(' ', 2)[0] is not ("LOADING" or "OOM" or "READONLY" or "CLUSTERDOWN" or "MASTERDOWN" or "NOREPLICAS"
            or "BUSY" or "TRYAGAIN" or "MOVED" or "ASK" or "NOSCRIPT" or "MISCONF" or "UNBLOCKED");

    /// <summary>Records that Redis answers.</summary>
    public void OnReached()
    {
        if (Volatile.Read(ref _isAway) == 1 && Interlocked.Exchange(ref _isAway, 0) == 1)
        {
            Log.Reached(logger);
        }
    }

    /// <summary>Records that Redis does not answer, once for each outage.</summary>
    public void OnLost(Exception exception)
    {
        if (Volatile.Read(ref _isAway) == 0)
        {
            Volatile.Write(ref _awaySince, TimeProvider.System.GetTimestamp());
        }

        if (Interlocked.Exchange(ref _isAway, 1) == 0)
        {
            Log.Lost(logger, exception);
        }
    }

    public void Dispose() => _connection?.Dispose();

    public ValueTask DisposeAsync() => _connection?.DisposeAsync() ?? ValueTask.CompletedTask;

    private ConnectionMultiplexer Connection => _connection ?? throw new RunStoreException("The store of runs is not started.");

    private async Task<RedisResult> RunAsync(
        string script, RedisKey[] keys, RedisValue[] values, int attempts, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var result = await EvaluateAsync(script, keys, values).WaitAsync(cancellationToken);
                OnReached();
                return result;
            }
            catch (Exception e) when (IsFailure(e))
            {
                if (!IsRefusal(e))
                {
                    OnLost(e);
                }

                if (e is not RedisConnectionException || --attempts == 0)
                {
                    throw Unusable(e);
                }
            }
        }
    }

    private static RunStoreException Unusable(Exception cause) => new("The database of runs cannot be used.", cause);
}
