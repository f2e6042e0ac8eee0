namespace Perennial.Cli.Terminal;

/// <summary>What the program tells its caller. A signal has a code of its own; see <see cref="Interruption"/>.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    public const int Failed = 1;

    public const int BadUsage = 2;
}
