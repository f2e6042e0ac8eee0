using Npgsql;
using Perennial.AspNetCore.Stores;

namespace Perennial.PostgreSql;

/// <summary>The tables. Created by the first node that needs them, while others that start at the same time wait.</summary>
internal static class Schema
{
    private const int Version = 1;

    // The columns that an append changes stand in no index, and pages have room, so that the tail row is updated in place (heap-only tuples).
    private const string Tables = """
        CREATE TABLE nodes (
            node uuid PRIMARY KEY,
            beat bigint NOT NULL);
        CREATE TABLE runs (
            run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id text COLLATE "C" NOT NULL UNIQUE,
            epoch text COLLATE "C" NOT NULL,
            node uuid NOT NULL,
            status smallint NOT NULL DEFAULT 0,
            tail bigint NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            ended_at timestamptz) WITH (fillfactor = 50);
        CREATE INDEX runs_open ON runs (node) WHERE status = 0;
        CREATE INDEX runs_ended ON runs (ended_at) WHERE ended_at IS NOT NULL;
        CREATE TABLE events (
            run bigint NOT NULL,
            sequence bigint NOT NULL,
            kind smallint NOT NULL,
            type text,
            data bytea NOT NULL,
            PRIMARY KEY (run, sequence));
        CREATE TABLE inboxes (
            run bigint PRIMARY KEY,
            position bigint NOT NULL DEFAULT 0,
            pending bigint NOT NULL DEFAULT 0,
            seen bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);
        CREATE TABLE messages (
            run bigint NOT NULL,
            position bigint NOT NULL,
            is_binary boolean NOT NULL,
            sender bytea,
            number bigint NOT NULL,
            key bytea,
            data bytea NOT NULL,
            PRIMARY KEY (run, position));
        CREATE TABLE names (
            run bigint NOT NULL,
            is_sender boolean NOT NULL,
            name bytea NOT NULL,
            received bigint NOT NULL,
            seen bigint NOT NULL,
            PRIMARY KEY (run, is_sender, name));
        CREATE TABLE version (version int NOT NULL);
        """;

    /// <summary>Creates what is missing. Needs no rights to create where nothing is.</summary>
    /// <exception cref="RunStoreException">The tables are those of another version.</exception>
    public static async Task CreateAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(connection, schema, cancellationToken))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var alone = connection.Command(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", Sql.Value($"perennial schema {schema}"));
            await alone.ExecuteNonQueryAsync(cancellationToken);
            if (!await ExistsAsync(connection, schema, cancellationToken))
                await CreateTablesAsync(connection, schema, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        await using var query = connection.Command("SELECT version FROM version");
        var version = (int)(await query.ExecuteScalarAsync(cancellationToken))!;
        if (version != Version)
            throw new RunStoreException(FormattableString.Invariant($"Schema {schema} has version {version} of the tables; this node knows {Version}."));
    }

    // The name has been checked: it cannot be anything but a name.
    private static async Task CreateTablesAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        await using var create = connection.Command(FormattableString.Invariant(
            $"CREATE SCHEMA IF NOT EXISTS {schema}; SET LOCAL search_path = {schema}; {Tables} INSERT INTO version VALUES ({Version});"));
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    // By a query of the catalogue: what a name stands for is remembered from before the lock.
    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        await using var query = connection.Command(
            "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'version')",
            Sql.Value(schema));
        return (bool)(await query.ExecuteScalarAsync(cancellationToken))!;
    }
}
