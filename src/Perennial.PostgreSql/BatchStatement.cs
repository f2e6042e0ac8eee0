using Npgsql;
using NpgsqlTypes;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.PostgreSql;

/// <summary>Records a batch by one statement. For each run it records all writes or none.</summary>
/// <remarks>
/// The statement contains the expected tail of each run, so a repeat after a lost connection records nothing twice. If the tail has moved
/// by exactly the number of events in the batch, the first attempt succeeded, because only this node appends to the run.
/// </remarks>
internal static class BatchStatement
{
    // The cost of a batch must depend on its size, and not on the number of runs. For a new table the planner has too few statistics: for
    // each run of the batch it would scan all open runs of this node by the index with "status = 0".
    private const string Plan = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_nestloop = off";

    private const string Write = """
        WITH wanted AS (
            SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::int[], $5::smallint[], $12::int[])
                AS w(run, epoch, base, count, status, producer)
        ), tail AS (
            UPDATE runs r SET tail = r.tail + w.count, status = w.status,
                ended_at = CASE WHEN w.status = 0 THEN NULL ELSE clock_timestamp() END
            FROM wanted w
            WHERE r.run = ANY ($1) AND r.run = w.run AND r.epoch = w.epoch AND r.status IS NOT DISTINCT FROM 0 AND r.node = $6
                AND r.producer = w.producer AND (w.base IS NULL OR r.tail = w.base)
            RETURNING r.run, r.producer, r.tail - w.count AS base
        ), added AS (
            INSERT INTO events (run, sequence, kind, type, data)
            SELECT i.run, t.base + i.place, i.kind, i.type, i.data
            FROM unnest($7::bigint[], $8::int[], $9::smallint[], $10::text[], $11::bytea[]) AS i(run, place, kind, type, data)
            JOIN tail t USING (run)
        )
        SELECT run, producer, base FROM tail
        """;

    private const string Rest = "SELECT run, epoch, status, tail, producer FROM runs WHERE run = ANY ($1)";

    /// <summary>The command, prepared once for each connection; <see cref="RecordAsync"/> sets its values.</summary>
    public static async Task<NpgsqlCommand> PrepareAsync(NpgsqlConnection connection, Guid node, CancellationToken cancellationToken)
    {
        await using (var plan = connection.Command(Plan))
        {
            await plan.ExecuteNonQueryAsync(cancellationToken);
        }

        var command = connection.Command(
            Write,
            Array<long>(NpgsqlDbType.Bigint), Array<string>(NpgsqlDbType.Text), Array<long?>(NpgsqlDbType.Bigint),
            Array<int>(NpgsqlDbType.Integer), Array<short>(NpgsqlDbType.Smallint), Sql.Value(node),
            Array<long>(NpgsqlDbType.Bigint), Array<int>(NpgsqlDbType.Integer), Array<short>(NpgsqlDbType.Smallint),
            Array<string?>(NpgsqlDbType.Text), Array<ReadOnlyMemory<byte>>(NpgsqlDbType.Bytea),
            Array<int>(NpgsqlDbType.Integer));
        await command.PrepareAsync(cancellationToken);
        return command;

        static NpgsqlParameter Array<T>(NpgsqlDbType type) =>
            new NpgsqlParameter<T[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = [] };
    }

    /// <summary>Records the writes, and returns the outcome for each run.</summary>
    public static async Task<IReadOnlyList<(RunWrites Run, RunOutcome Outcome)>> RecordAsync(
        NpgsqlCommand command, IReadOnlyList<RunWrites> runs, CancellationToken cancellationToken)
    {
        Fill(command.Parameters, runs);
        var outcomes = new List<(RunWrites, RunOutcome)>(runs.Count);
        var bases = new Dictionary<(long Run, int Producer), long>(runs.Count);
        await using (var row = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await row.ReadAsync(cancellationToken))
            {
                bases.Add((row.GetInt64(0), row.GetInt32(1)), row.GetInt64(2));
            }
        }

        var left = new List<RunWrites>();
        foreach (var run in runs)
        {
            if (bases.TryGetValue((run.Key.Run, run.Key.Producer), out var start))
            {
                outcomes.Add((run, RunOutcome.Recorded(start, run.Status)));
            }
            else
            {
                left.Add(run);
            }
        }

        if (left.Count > 0)
        {
            await ExplainAsync(command.Connection!, left, outcomes, cancellationToken);
        }

        return outcomes;
    }

    private static void Fill(NpgsqlParameterCollection parameters, IReadOnlyList<RunWrites> runs)
    {
        var writes = runs.Sum(group => group.Writes.Count);
        var (run, place, kind) = (new long[writes], new int[writes], new short[writes]);
        var (type, data) = (new string?[writes], new ReadOnlyMemory<byte>[writes]);
        var index = 0;
        foreach (var group in runs)
        {
            for (var n = 0; n < group.Writes.Count; n++, index++)
            {
                var content = group.Writes[n].Content;
                (run[index], place[index], kind[index]) = (group.Key.Run, n + 1, (short)content.Kind);
                (type[index], data[index]) = (content.EventType, content.Data);
            }
        }

        Set(0, runs.Select(group => group.Key.Run).ToArray());
        Set(1, runs.Select(group => group.Key.Epoch).ToArray());
        Set(2, runs.Select(group => group.Base).ToArray());
        Set(3, runs.Select(group => group.Writes.Count).ToArray());
        Set(4, runs.Select(group => (short)group.Status).ToArray());
        Set(6, run);
        Set(7, place);
        Set(8, kind);
        Set(9, type);
        Set(10, data);
        Set(11, runs.Select(group => group.Key.Producer).ToArray());

        void Set<T>(int position, T[] values) => ((NpgsqlParameter<T[]>)parameters[position]).TypedValue = values;
    }

    private static async Task ExplainAsync(
        NpgsqlConnection connection, List<RunWrites> left, List<(RunWrites, RunOutcome)> outcomes, CancellationToken cancellationToken)
    {
        await using var query = connection.Command(Rest, Sql.Value(left.Select(static run => run.Key.Run).Distinct().ToArray()));
        var states = new Dictionary<(long Run, string Epoch, int Producer), (RunStatus Status, long Tail)>();
        await using (var row = await query.ExecuteReaderAsync(cancellationToken))
        {
            while (await row.ReadAsync(cancellationToken))
            {
                states.Add((row.GetInt64(0), row.GetString(1), row.GetInt32(4)), ((RunStatus)row.GetInt16(2), row.GetInt64(3)));
            }
        }

        // A run that is missing is no longer kept, or has another producer.
        outcomes.AddRange(left.Select(run => (run, states.TryGetValue((run.Key.Run, run.Key.Epoch, run.Key.Producer), out var state)
            ? RunOutcome.Explain(run, state.Status, state.Tail)
            : RunOutcome.Refused(AppendOutcome.Fenced, RunStatus.Running))));
    }
}
