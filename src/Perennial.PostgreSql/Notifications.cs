using Perennial.AspNetCore.Stores;

namespace Perennial.PostgreSql;

/// <summary>Notifications to the nodes that listen on a channel.</summary>
/// <remarks>
/// They are never part of the transaction of an append: a transaction that notifies locks the whole server when it commits, which would
/// serialize all appends of all nodes.
/// </remarks>
internal sealed class Notifications(Database database, string channel)
{
    // A lost notification is harmless, so its commit does not wait for the disk.
    private const string Notify = """
        SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, payload) FROM unnest($2) AS payload
        """;

    /// <exception cref="RunStoreException">The database cannot be reached.</exception>
    public Task SendAsync(string[] payloads, CancellationToken cancellationToken) => database.RunAsync(async (connection, stop) =>
    {
        await using var notify = connection.Command(Notify, Sql.Value(channel), Sql.Value(payloads));
        return await notify.ExecuteNonQueryAsync(stop);
    }, cancellationToken);
}
