using System.CommandLine;
using Perennial.Cli.Arguments;
using Perennial.Cli.Serve.Content;

namespace Perennial.Cli.Serve;

/// <summary><c>perennial serve</c>: serves runs that are made of lines, or of an upstream's answers.</summary>
internal sealed class ServeCommand : Command
{
    private const int Hour = 3_600_000;

    private readonly Option<string?> _url = OptionKinds.Text("--url", "URL", "Where to listen; port 0 lets the system choose. Default http://127.0.0.1:5080.");

    private readonly Option<bool> _stdin = OptionKinds.Flag("--stdin", "Serve standard input: each line is an event, its end completes the run.");

    private readonly Option<string?> _file = OptionKinds.Text("--file", "PATH", "Serve a file: each line is an event.");

    private readonly Option<int?> _delay = OptionKinds.Number("--delay", "MS", 0, Hour, "With --file: the pause after each line; default 0. With --demo: the pause before each word of an answer; default 25.");

    private readonly Option<string?> _upstream = OptionKinds.Text(
        "--upstream",
        "URL",
        "Stand before a server that streams SSE or JSON lines without numbering them, such as a model provider. A POST to the URL's path here is made once there, "
        + "with its headers and body; the answer is a run, which readers may leave and come back to.");

    private readonly Option<string[]> _header = OptionKinds.Texts(
        "--header", "'K: V'", "With --upstream: a header of every request to it, in place of the one that a client sends. May be repeated.");

    private readonly Option<string?> _method = OptionKinds.Text("--method", "METHOD", "With --upstream: ask it once, at once, by this method, and serve the answer as one run.");

    private readonly Option<string?> _data = OptionKinds.Text(
        "--data", "TEXT", "With --upstream: ask it once, at once, by POST unless --method says otherwise; text, @FILE, or @- for standard input.");

    private readonly Option<EndOfStreamPolicy> _onEnd = OptionKinds.Choice(
        "--on-end",
        "With --upstream: what an end of its answer without an end marker means: the end, or a loss. Default complete.",
        ("complete", EndOfStreamPolicy.Complete),
        ("require-marker", EndOfStreamPolicy.RequireMarker));

    private readonly Option<bool> _demo = OptionKinds.Flag("--demo", "Serve the demo page: a chat over a line that you can cut, stall and slow down.");

    private readonly Option<bool> _steps = OptionKinds.Hidden(
        OptionKinds.Flag("--step", "With --demo: an answer waits for messages to its run, each the number of words that may follow. For tests."));

    private readonly Option<string?> _postgres = OptionKinds.Text(
        "--postgres",
        "CONNECTION",
        "Keep runs in PostgreSQL instead of in memory: every serve on the same database serves every run. CONNECTION is as Npgsql knows it, such as "
        + "'Host=db;Database=runs;Username=me'; the password may stand in the environment (PGPASSWORD) or in a file (PGPASSFILE).");

    private readonly Option<bool> _verbose = OptionKinds.Flag(OptionKinds.Verbose, "Show more on stderr.");

    public ServeCommand()
        : base(
            "serve",
            "Serves numbered runs over SSE, JSON lines and long polling until Ctrl-C. Readers may drop and return: they go on where they stopped. "
            + "What is served comes from --stdin, --file, --upstream or --demo, and is kept in memory, or in PostgreSQL with --postgres.")
    {
        foreach (Option option in new Option[] { _url, _stdin, _file, _delay, _upstream, _header, _method, _data, _onEnd, _demo, _steps, _postgres, _verbose })
        {
            Add(option);
        }

        SetAction((parsed, cancellationToken) => ServeRun.RunAsync(Read(parsed), cancellationToken));
    }

    private ServeSettings Read(ParseResult parsed) => new()
    {
        Url = parsed.GetValue(_url) ?? "http://127.0.0.1:5080",
        ReadsStandardInput = parsed.GetValue(_stdin),
        File = parsed.GetValue(_file),
        Delay = parsed.GetValue(_delay) is { } delay ? TimeSpan.FromMilliseconds(delay) : null,
        Upstream = parsed.GetValue(_upstream),
        Headers = HeaderLines.Parse(parsed.GetRequiredValue(_header)),
        Method = parsed.GetValue(_method),
        Data = parsed.GetValue(_data),
        OnEnd = parsed.GetValue(_onEnd),
        IsDemo = parsed.GetValue(_demo),
        IsStepped = parsed.GetValue(_steps),
        PostgreSql = parsed.GetValue(_postgres),
        Verbose = parsed.GetValue(_verbose),
    };
}
