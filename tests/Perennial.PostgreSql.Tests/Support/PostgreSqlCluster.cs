using Npgsql;

namespace Perennial.PostgreSql.Tests.Support;

/// <summary>The PostgreSQL server of one run of the tests.</summary>
public sealed class PostgreSqlCluster : IAsyncLifetime
{
    private readonly TemporaryServer _server = new("-c fsync=off");

    /// <summary>Skips the test where there is no server. In CI that is a failure.</summary>
    public void Require()
    {
        if (_server.Absence is not { } absence)
        {
            return;
        }

        Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is not "true", absence);
        Assert.Fail(absence);
    }

    public string ConnectionString => ConnectionStringTo(_server.Port);

    public Uri Address => new($"tcp://127.0.0.1:{_server.Port}");

    /// <summary>How to reach the server through a port that somebody forwards to it.</summary>
    public static string ConnectionStringTo(int port) => TemporaryServer.ConnectionStringTo(port);

    public async ValueTask InitializeAsync() => await _server.CreateAsync();

    public Task StartAsync() => _server.StartAsync();

    /// <summary>Stops the server, by a crash or so that it tells its clients.</summary>
    public Task StopAsync(bool isCrash) => _server.StopAsync(isCrash ? "immediate" : "fast");

    /// <summary>Ends the server's side of connections whose last statement was of a kind; returns how many.</summary>
    public async Task<int> TerminateAsync(string lastStatement)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(
            "SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"{lastStatement}%" });
        return (int)(await command.ExecuteScalarAsync())!;
    }

    public Task<int> KillListenersAsync() => TerminateAsync("LISTEN");

    /// <summary>The sum of the numbers by which nodes show that they are alive.</summary>
    public Task<long> BeatsAsync(string schema) => QueryAsync<long>($"SELECT sum(beat)::bigint FROM {schema}.nodes");

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
