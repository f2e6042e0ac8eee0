using Microsoft.Extensions.Logging;
using Npgsql;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>Records batches over one connection, which is opened again after a failure.</summary>
/// <remarks>
/// If only this node cannot reach the database, another node records the end of an abandoned run when the lease of this node has expired.
/// </remarks>
internal sealed class BatchRecorder(Database database, Guid node, ILogger logger) : IBatchRecorder
{
    private NpgsqlConnection? _connection;
    private NpgsqlCommand? _command;

    public async Task<IReadOnlyList<(RunWrites Run, RunOutcome Outcome)>> RecordAsync(WriteBatch batch, CancellationToken cancellationToken)
    {
        if (_command is null)
        {
            _connection = await database.OpenAsync(cancellationToken);
            _command = await BatchStatement.PrepareAsync(_connection, node, cancellationToken);
        }

        return await BatchStatement.RecordAsync(_command, batch.Runs, cancellationToken);
    }

    public bool IsTransient(Exception failure) => Database.IsFailure(failure) && !Database.IsRefusal(failure);

    public bool IsOfOneRun(Exception failure) => false;

    public async ValueTask OnFailedAsync(Exception failure)
    {
        await DisposeAsync();
        if (IsTransient(failure))
        {
            database.OnLost(failure);
        }
    }

    public void OnRecovered() => database.OnReached();

    public void OnAbandoned(RunKey run, Exception reason) => Log.GaveUp(logger, run.Epoch, reason);

    public async ValueTask DisposeAsync()
    {
        var (connection, command) = (_connection, _command);
        (_connection, _command) = (null, null);
        if (command is not null)
        {
            await command.DisposeAsync();
        }

        if (connection is not null)
        {
            await connection.DisposeAsync();
        }
    }
}
