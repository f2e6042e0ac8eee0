using Npgsql;
using Perennial.Cli.Arguments;

namespace Perennial.Cli.Serve;

/// <summary>The connection string of the database of runs.</summary>
internal static class DatabaseConnection
{
    /// <summary>Checks a connection string of Npgsql. It must name a host.</summary>
    /// <exception cref="UsageException">
    /// The connection string is invalid. The message does not show any of it, because a password may be anywhere in it.
    /// </exception>
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
            // The error of Npgsql is not shown, because it quotes the connection string.
        }

        throw new UsageException("--postgres must look like 'Host=db;Database=runs;Username=me'");
    }
}
