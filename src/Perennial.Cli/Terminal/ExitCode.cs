namespace Perennial.Cli.Terminal;

/// <summary>The exit codes of the program. A signal has a code of its own; see <see cref="Interruption"/>.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    public const int Failed = 1;

    public const int BadUsage = 2;
}
