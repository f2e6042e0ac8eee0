using System.Text;

namespace Perennial.Benchmarks;

/// <summary>
/// The document that shows the results: a section of it lies between <c>&lt;!-- name --&gt;</c> and <c>&lt;!-- /name --&gt;</c>, and is
/// replaced by what was printed.
/// </summary>
/// <param name="path">The document.</param>
/// <param name="origin">Where the results are from, and when: the first line of each section.</param>
internal sealed class ResultDocument(string path, string origin)
{
    /// <summary>The name of the section with the table of budgets.</summary>
    public const string Budgets = "budgets";

    /// <summary>Why sections cannot be written, or null where they can.</summary>
    public string? WhyNot(IEnumerable<string> sections)
    {
        if (!File.Exists(path))
        {
            return $"there is no document {path}.";
        }

        var text = File.ReadAllText(path);
        return sections.FirstOrDefault(section => Bounds(text, section) is null) is { } missing
            ? $"{path} has no section from {Opening(missing)} to {Closing(missing)}."
            : null;
    }

    /// <summary>Whatever is printed until the result is disposed goes into a section, and to the console as well.</summary>
    public IDisposable Begin(string section) => new Copy(text => Replace(section, text));

    private void Replace(string section, string text)
    {
        var document = File.ReadAllText(path);
        if (Bounds(document, section) is var (start, end))
        {
            File.WriteAllText(path, $"{document[..start]}\n\n{origin}\n\n{text.Trim()}\n{document[end..]}");
        }
    }

    private static (int Start, int End)? Bounds(string document, string section)
    {
        var start = document.IndexOf(Opening(section), StringComparison.Ordinal);
        var end = document.IndexOf(Closing(section), StringComparison.Ordinal);
        return start >= 0 && end > start ? (start + Opening(section).Length, end) : null;
    }

    private static string Opening(string section) => $"<!-- {section} -->";

    private static string Closing(string section) => $"<!-- /{section} -->";

    private sealed class Copy : IDisposable
    {
        private readonly TextWriter _console = Console.Out;
        private readonly StringBuilder _text = new();
        private readonly Action<string> _done;

        public Copy(Action<string> done)
        {
            _done = done;
            Console.SetOut(new Both(_console, _text));
        }

        public void Dispose()
        {
            Console.SetOut(_console);
            _done(_text.ToString());
        }
    }

    private sealed class Both(TextWriter console, StringBuilder text) : TextWriter
    {
        public override Encoding Encoding => console.Encoding;

        public override void Write(char value)
        {
            console.Write(value);
            text.Append(value);
        }

        public override void Write(string? value)
        {
            console.Write(value);
            text.Append(value);
        }

        public override void WriteLine(string? value) => Write($"{value}\n");
    }
}
