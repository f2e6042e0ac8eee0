using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite;

/// <summary>The tables of the file, and their upgrades.</summary>
internal static class Schema
{
    private const int Version = 3;
    private const int ApplicationId = 0x50524E4C;     // "PRNL": how the file is told from those of other applications

    // Times are milliseconds since 1970 (UTC). A run that is open has the tail of its events.
    private const string Tables = """
        CREATE TABLE store (is_clean INTEGER NOT NULL, boot TEXT NOT NULL, flushes_events INTEGER NOT NULL);
        INSERT INTO store VALUES (1, '', 0);
        CREATE TABLE runs (
            run INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            epoch TEXT NOT NULL,
            takes_messages INTEGER NOT NULL,
            retention INTEGER NOT NULL,
            dialect TEXT,
            owner TEXT,
            key TEXT,
            metadata TEXT,
            resume_with TEXT,
            status INTEGER NOT NULL DEFAULT 0,
            tail INTEGER NOT NULL DEFAULT 0,
            forget_at INTEGER,
            position INTEGER NOT NULL DEFAULT 0,
            pending INTEGER NOT NULL DEFAULT 0,
            seen INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX runs_open ON runs (run) WHERE status = 0;
        CREATE INDEX runs_ended ON runs (forget_at) WHERE forget_at IS NOT NULL;
        CREATE TABLE events (
            run INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            type TEXT,
            data BLOB NOT NULL,
            PRIMARY KEY (run, sequence)) WITHOUT ROWID;
        CREATE TABLE messages (
            run INTEGER NOT NULL,
            position INTEGER NOT NULL,
            is_binary INTEGER NOT NULL,
            sender BLOB,
            number INTEGER NOT NULL,
            key BLOB,
            key_owner BLOB,
            data BLOB NOT NULL,
            PRIMARY KEY (run, position)) WITHOUT ROWID;
        CREATE TABLE names (
            run INTEGER NOT NULL,
            is_sender INTEGER NOT NULL,
            name BLOB NOT NULL,
            received INTEGER NOT NULL,
            seen INTEGER NOT NULL,
            fingerprint BLOB,
            PRIMARY KEY (run, is_sender, name)) WITHOUT ROWID;
        CREATE TABLE refusals (
            run INTEGER NOT NULL,
            sender BLOB NOT NULL,
            number INTEGER NOT NULL,
            code BLOB NOT NULL,
            PRIMARY KEY (run, sender, number)) WITHOUT ROWID;
        CREATE TABLE starts (
            name TEXT PRIMARY KEY,
            fingerprint TEXT NOT NULL,
            request BLOB NOT NULL,
            run_id TEXT,
            claimed_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX starts_claimed ON starts (claimed_at);
        """ + Listings;

    private const string Listings = """
        CREATE INDEX runs_owner ON runs (owner, run) WHERE owner IS NOT NULL;
        CREATE INDEX runs_key ON runs (key, run) WHERE status = 0 AND key IS NOT NULL;
        """;

    /// <summary>The upgrade from each version to the next; the first is from version 1 to 2.</summary>
    private static readonly string[] Steps =
    [
        """
        ALTER TABLE runs ADD COLUMN owner TEXT;
        ALTER TABLE runs ADD COLUMN key TEXT;
        ALTER TABLE runs ADD COLUMN metadata TEXT;
        """ + Listings,
        "ALTER TABLE runs ADD COLUMN resume_with TEXT;",
    ];

    /// <summary>Creates or upgrades the tables.</summary>
    /// <exception cref="RunStoreException">The file belongs to another application, or its version is not supported.</exception>
    public static void Create(Session session, string path)
    {
        var isNew = session.Run("SELECT count(*) FROM sqlite_schema") is 0L && Number("user_version") == 0;
        if (!isNew && Number("application_id") != ApplicationId)
        {
            throw new RunStoreException($"The file {path} is a database of another application. Name a new file for the runs.");
        }

        session.Run("PRAGMA auto_vacuum = INCREMENTAL");        // has an effect before the first table is created
        RequireWriteAheadLog(session, path);
        session.Execute("BEGIN IMMEDIATE");
        if (isNew)
        {
            session.Run(FormattableString.Invariant($"{Tables} PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version};"));
        }

        for (var version = Number("user_version"); version != Version; version++)
        {
            if (version < 1 || version > Version)
            {
                throw new RunStoreException(FormattableString.Invariant(
                    $"The file of runs {path} has version {version}. This version of Perennial supports versions up to {Version}."));
            }

            session.Run(FormattableString.Invariant($"{Steps[version - 1]} PRAGMA user_version = {version + 1};"));
        }

        session.Execute("COMMIT");

        long Number(string pragma) => (long)session.Run($"PRAGMA {pragma}")!;
    }

    private static void RequireWriteAheadLog(Session session, string path)
    {
        if (session.Run("PRAGMA journal_mode = WAL") is not "wal")
        {
            throw new RunStoreException($"The file system of {path} does not support the write-ahead log of SQLite. Use a local disk.");
        }
    }
}
