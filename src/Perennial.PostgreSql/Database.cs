using System.Data.Common;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Npgsql;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>The connections of one node, and the handling of their failures. Safe from any thread.</summary>
internal sealed class Database : IAsyncDisposable, IDisposable
{
    private const int ConnectSeconds = 5;
    private const int CommandSeconds = 10;

    private readonly NpgsqlDataSource _source;
    private readonly ILogger _logger;
    private int _isAway;

    public Database(string connectionString, string schema, ILogger logger)
    {
        _logger = logger;
        var builder = new NpgsqlSlimDataSourceBuilder(connectionString);
        builder.EnableArrays();
        builder.EnableTransportSecurity();
        var settings = builder.ConnectionStringBuilder;
        settings.SearchPath = schema;
        settings.ApplicationName ??= "Perennial";
        if (!settings.ShouldSerialize("Timeout"))
        {
            settings.Timeout = ConnectSeconds;
        }

        if (!settings.ShouldSerialize("Command Timeout"))
        {
            settings.CommandTimeout = CommandSeconds;
        }

        _source = builder.Build();
    }

    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => _source.OpenConnectionAsync(cancellationToken);

    /// <summary>
    /// Does work that may be done twice. It is tried once more after a failure, because idle connections fail at the first use after a
    /// restart of the database.
    /// </summary>
    /// <exception cref="RunStoreException">The database cannot be reached, or refused the work.</exception>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(work, attempts: 2, cancellationToken);

    /// <summary>Does work that must not be done twice.</summary>
    /// <exception cref="RunStoreException">The database cannot be reached, or refused.</exception>
    public Task<T> RunOnceAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(work, attempts: 1, cancellationToken);

    private async Task<T> RunAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> work, int attempts, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await using var connection = await _source.OpenConnectionAsync(cancellationToken);
                var result = await work(connection, cancellationToken);
                OnReached();
                return result;
            }
            catch (Exception e) when (IsFailure(e))
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    throw new OperationCanceledException("The call was cancelled.", e, cancellationToken);
                }

                if (!IsRefusal(e))
                {
                    OnLost(e);
                }

                if (IsRefusal(e) || --attempts == 0)
                {
                    throw new RunStoreException("The database of runs cannot be used.", e);
                }
            }
        }
    }

    /// <summary>Whether the database caused the exception, and not a defect of this code.</summary>
    public static bool IsFailure(Exception exception) =>
        exception is DbException or TimeoutException or IOException or SocketException or ObjectDisposedException;

    /// <summary>
    /// Whether the database refused the statement, so that a repeat cannot succeed (PostgreSQL, appendix A: classes of SQLSTATE).
    /// </summary>
    public static bool IsRefusal(Exception exception) =>
        exception is PostgresException { SqlState.Length: 5 } refusal && refusal.SqlState[..2] is "0A" or "22" or "23" or "42" or "54";

    /// <summary>Records that the database answers.</summary>
    public void OnReached()
    {
        if (Volatile.Read(ref _isAway) == 1 && Interlocked.Exchange(ref _isAway, 0) == 1)
        {
            Log.Reached(_logger);
        }
    }

    /// <summary>Records that the database does not answer, once for each outage, and closes idle connections.</summary>
    public void OnLost(Exception exception)
    {
        if (Interlocked.Exchange(ref _isAway, 1) == 0)
        {
            Log.Lost(_logger, exception);
        }

        if (exception is not ObjectDisposedException)
        {
            _source.Clear();
        }
    }

    public void Dispose() => _source.Dispose();

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
