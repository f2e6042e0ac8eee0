using Npgsql;
using Perennial.AspNetCore.Stores;

namespace Perennial.PostgreSql;

/// <summary>
/// The tables. The first node that needs them creates or upgrades them, while other nodes that start at the same time wait.
/// </summary>
internal static class Schema
{
    private const int Version = 6;

    // No index has a column that an append changes, and pages have free space, so the tail row is updated in place (heap-only tuples).
    private const string Tables = """
        CREATE TABLE nodes (
            node uuid PRIMARY KEY,
            beat bigint NOT NULL);
        CREATE TABLE runs (
            run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id text COLLATE "C" NOT NULL UNIQUE,
            epoch text COLLATE "C" NOT NULL,
            node uuid NOT NULL,
            takes_messages boolean NOT NULL,
            status smallint NOT NULL DEFAULT 0,
            tail bigint NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            ended_at timestamptz,
            retention interval,
            dialect text COLLATE "C",
            owner text COLLATE "C",
            key text COLLATE "C",
            metadata text,
            resume_with text COLLATE "C",
            producer int NOT NULL DEFAULT 1) WITH (fillfactor = 50);
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
            fingerprint bytea,
            PRIMARY KEY (run, is_sender, name));
        CREATE TABLE refusals (
            run bigint NOT NULL,
            sender bytea NOT NULL,
            number bigint NOT NULL,
            code bytea NOT NULL,
            PRIMARY KEY (run, sender, number));
        CREATE TABLE version (version int NOT NULL);
        """ + Starts + Listings;

    private const string Starts = """
        CREATE TABLE starts (
            name text COLLATE "C" PRIMARY KEY,
            fingerprint text COLLATE "C" NOT NULL,
            request uuid NOT NULL,
            node uuid NOT NULL,
            run_id text COLLATE "C",
            claimed_at timestamptz NOT NULL DEFAULT clock_timestamp());
        CREATE INDEX starts_claimed ON starts (claimed_at);
        CREATE INDEX starts_open ON starts (node) WHERE run_id IS NULL;
        """;

    private const string Listings = """
        CREATE INDEX runs_owner ON runs (owner, run) WHERE owner IS NOT NULL;
        CREATE INDEX runs_key ON runs (key, run) WHERE status = 0 AND key IS NOT NULL;
        """;

    /// <summary>
    /// The upgrade from each version to the next. Nodes of the previous version go on during an upgrade, but cannot start after it.
    /// </summary>
    private static readonly string[] Steps =
    [
        "ALTER TABLE runs ADD COLUMN retention interval",
        Starts + "ALTER TABLE names ADD COLUMN fingerprint bytea",
        "ALTER TABLE runs ADD COLUMN dialect text COLLATE \"C\"",
        """
        ALTER TABLE runs ADD COLUMN owner text COLLATE "C", ADD COLUMN key text COLLATE "C", ADD COLUMN metadata text;
        """ + Listings,
        "ALTER TABLE runs ADD COLUMN resume_with text COLLATE \"C\", ADD COLUMN producer int NOT NULL DEFAULT 1",
    ];

    /// <summary>Creates missing tables. If none is missing, no right to create tables is needed.</summary>
    /// <exception cref="RunStoreException">The tables have a version that this node does not support.</exception>
    public static async Task CreateAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(connection, schema, cancellationToken) || await VersionAsync(connection, cancellationToken) < Version)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var alone = connection.Command(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", Sql.Value($"perennial schema {schema}"));
            await alone.ExecuteNonQueryAsync(cancellationToken);
            if (!await ExistsAsync(connection, schema, cancellationToken))
            {
                await CreateTablesAsync(connection, schema, cancellationToken);
            }
            else
            {
                await UpdateTablesAsync(connection, cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }

        var version = await VersionAsync(connection, cancellationToken);
        if (version != Version)
        {
            throw new RunStoreException(
                FormattableString.Invariant($"Schema {schema} has version {version} of the tables; this node supports up to {Version}."));
        }
    }

    private static async Task<int> VersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var query = connection.Command("SELECT version FROM version");
        return (int)(await query.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task UpdateTablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        for (var version = await VersionAsync(connection, cancellationToken); version is >= 1 and < Version; version++)
        {
            await using var step =
                connection.Command(FormattableString.Invariant($"{Steps[version - 1]}; UPDATE version SET version = {version + 1};"));
            await step.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    // The name is validated, so it is safe in a statement.
    private static async Task CreateTablesAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        await using var create = connection.Command(FormattableString.Invariant(
            $"CREATE SCHEMA IF NOT EXISTS {schema}; SET LOCAL search_path = {schema}; {Tables} INSERT INTO version VALUES ({Version});"));
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    // By a query of the catalog, because a direct use of the name may see the state from before the lock.
    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        await using var query = connection.Command(
            "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'version')",
            Sql.Value(schema));
        return (bool)(await query.ExecuteScalarAsync(cancellationToken))!;
    }
}
