namespace Perennial.Cli.Terminal;

/// <summary>Lines on stderr. Each stays one line and cannot steer the terminal, whatever a server had a hand in.</summary>
internal static class ErrorLine
{
    public static void Write(string text) =>
        Console.Error.WriteLine("perennial: " + string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)));
}
