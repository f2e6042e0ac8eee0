using Npgsql;
using Perennial.Cli.Arguments;

namespace Perennial.Cli.Serve;

/// <summary>How to reach the database of runs.</summary>
internal static class DatabaseConnection
{
    /// <summary>Takes a connection string of Npgsql that names a host.</summary>
    /// <exception cref="UsageException">It is none. The message shows nothing of it, since a password may stand anywhere in it.</exception>
    public static string Parse(string text)
    {
        try
        {
            if (new NpgsqlConnectionStringBuilder(text).Host is { Length: > 0 })
            {
                return text;
            }
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // The same answer: what Npgsql says of it quotes it.
        }

        throw new UsageException("--postgres must look like 'Host=db;Database=runs;Username=me'");
    }
}
