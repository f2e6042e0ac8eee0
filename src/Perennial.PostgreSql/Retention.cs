using Microsoft.Extensions.Logging;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>
/// Deletes finished runs whose retention, their own or the default, has passed. One node at a time does it, by the clock of the database.
/// </summary>
internal sealed class Retention(Database database, string schema, TimeSpan retention, ILogger logger)
{
    private const int RunsAtATime = 20;

    private const string TryBeTheOne = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))";

    private const string Forget = """
        WITH due AS (
            SELECT run FROM runs WHERE ended_at + coalesce(retention, $1) <= clock_timestamp() ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ), e AS (DELETE FROM events USING due WHERE events.run = due.run
        ), m AS (DELETE FROM messages USING due WHERE messages.run = due.run
        ), n AS (DELETE FROM names USING due WHERE names.run = due.run
        ), f AS (DELETE FROM refusals USING due WHERE refusals.run = due.run
        ), i AS (DELETE FROM inboxes USING due WHERE inboxes.run = due.run
        )
        DELETE FROM runs USING due WHERE runs.run = due.run
        """;

    /// <summary>Deletes expired runs, unless another node is doing it.</summary>
    /// <exception cref="Perennial.AspNetCore.Stores.RunStoreException">The database cannot be reached.</exception>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var forgotten = 0;
        int last;
        do
        {
            last = await ForgetSomeAsync(cancellationToken);
            forgotten += last;
        }
        while (last == RunsAtATime);
        if (forgotten > 0)
        {
            Log.Forgotten(logger, forgotten);
        }
    }

    private Task<int> ForgetSomeAsync(CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(stop);
            await using var turn = connection.Command(TryBeTheOne, Sql.Value($"perennial retention {schema}"));
            if (await turn.ExecuteScalarAsync(stop) is not true)
            {
                return 0;
            }

            await using var forget = connection.Command(Forget, Sql.Value(retention), Sql.Value(RunsAtATime));
            var runs = await forget.ExecuteNonQueryAsync(stop);
            await transaction.CommitAsync(stop);
            return runs;
        }, cancellationToken);
}
