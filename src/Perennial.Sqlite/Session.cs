using Microsoft.Data.Sqlite;

namespace Perennial.Sqlite;

/// <summary>A connection to the file, with its prepared statements. Used by one thread at a time.</summary>
internal sealed class Session : IDisposable
{
    private const int BusySeconds = 1;      // how long one statement waits for a lock of another program

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

    /// <summary>Opens a connection.</summary>
    /// <exception cref="SqliteException">The file cannot be opened.</exception>
    public Session(string path)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            DefaultTimeout = BusySeconds,
        }.ToString());
        try
        {
            _connection.Open();
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>Executes a statement with values for <c>$1</c>, <c>$2</c> and so on. Returns the number of changed rows.</summary>
    public int Execute(string sql, params ReadOnlySpan<object?> values) => Prepare(sql, values).ExecuteNonQuery();

    /// <summary>Executes a query, and returns the first value of its first row; null if there is none.</summary>
    public object? Scalar(string sql, params ReadOnlySpan<object?> values) =>
        Prepare(sql, values).ExecuteScalar() is { } value and not DBNull ? value : null;

    /// <summary>Executes a query. The caller disposes the reader before it uses the session again.</summary>
    public SqliteDataReader Read(string sql, params ReadOnlySpan<object?> values) => Prepare(sql, values).ExecuteReader();

    /// <summary>Executes a query, and returns its rows.</summary>
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> values)
    {
        using var row = Read(sql, values);
        var rows = new List<T>();
        while (row.Read())
        {
            rows.Add(map(row));
        }

        return rows;
    }

    /// <summary>
    /// Executes statements without preparing them, and returns the first value. A pragma must not be prepared, because it may act when it
    /// is compiled.
    /// </summary>
    public object? Run(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    public void Dispose()
    {
        foreach (var command in _commands.Values)
        {
            command.Dispose();
        }

        _connection.Dispose();
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            _commands[sql] = command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var n = 1; n <= values.Length; n++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = FormattableString.Invariant($"${n}") });
            }
        }

        for (var n = 0; n < values.Length; n++)
        {
            command.Parameters[n].Value = values[n] ?? DBNull.Value;
        }

        return command;
    }
}
