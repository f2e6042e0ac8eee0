namespace Perennial.Cli.Terminal;

/// <summary>Writes lines to stderr. Control characters are replaced, so that text from a server cannot control the terminal.</summary>
internal static class ErrorLine
{
    public static void Write(string text) =>
        Console.Error.WriteLine("perennial: " + string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)));
}
