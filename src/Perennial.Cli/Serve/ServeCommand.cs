using System.CommandLine;
using Perennial.Cli.Arguments;
using Perennial.Cli.Serve.Content;

namespace Perennial.Cli.Serve;

/// <summary><c>perennial serve</c>: serves runs made from lines or from the responses of an upstream server.</summary>
internal sealed class ServeCommand : Command
{
    private const int Hour = 3_600_000;

    private readonly Option<string?> _url = OptionKinds.Text(
        "--url", "URL", "The address to listen at; with port 0 the system chooses a port. Default http://127.0.0.1:5080.");

    private readonly Option<bool> _stdin =
        OptionKinds.Flag("--stdin", "Serve standard input: each line is an event, its end completes the run.");

    private readonly Option<string?> _file = OptionKinds.Text("--file", "PATH", "Serve a file: each line is an event.");

    private readonly Option<int?> _delay = OptionKinds.Number(
        "--delay",
        "MS",
        0,
        Hour,
        "With --file: the pause after each line; default 0. With --demo: the pause before each word of an answer; default 25.");

    private readonly Option<string?> _upstream = OptionKinds.Text(
        "--upstream",
        "URL",
        "Forward every request to a server such as a model provider; URL is its base URL, for example https://api.openai.com. What is no "
        + "stream passes through unchanged. A stream is requested once and is a run, which readers may leave and resume.");

    private readonly Option<string[]> _allowOrigin = OptionKinds.Texts(
        "--allow-origin",
        "ORIGIN",
        "With --upstream: pages of this origin may send requests, or of all with *. May be repeated. Default: only serve's own origin.");

    private readonly Option<string[]> _header = OptionKinds.Texts(
        "--header", "'K: V'", "With --upstream: a header of every request to it, in place of the client's header. May be repeated.");

    private readonly Option<string?> _method = OptionKinds.Text(
        "--method", "METHOD", "With --upstream: send one request with this method at the start, and serve the response as one run.");

    private readonly Option<string?> _data = OptionKinds.Text(
        "--data",
        "TEXT",
        "With --upstream: send one request with this body at the start, by POST or --method; text, @FILE, or @- for standard input.");

    private readonly Option<EndOfStreamPolicy> _onEnd = OptionKinds.Choice(
        "--on-end",
        "With --upstream: the meaning of a normal end without an end marker: the end, or a lost connection. Default complete.",
        ("complete", EndOfStreamPolicy.Complete),
        ("require-marker", EndOfStreamPolicy.RequireMarker));

    private readonly Option<bool> _demo = OptionKinds.Flag(
        "--demo", "Serve the demo page: a chat over a connection that you can cut, stall and slow down.");

    private readonly Option<bool> _steps = OptionKinds.Hidden(
        OptionKinds.Flag("--step", "With --demo: an answer waits for messages to its run, each a number of words to write. For tests."));

    private readonly Option<string?> _postgres = OptionKinds.Text(
        "--postgres",
        "CONNECTION",
        "Keep runs in PostgreSQL instead of in memory: every serve on the same database serves every run. CONNECTION is a connection "
        + "string of Npgsql, such as 'Host=db;Database=runs;Username=me'. The password may be in the environment (PGPASSWORD) or in a file "
        + "(PGPASSFILE).");

    private readonly Option<string?> _store = OptionKinds.Text(
        "--store",
        "FILE",
        "Keep runs in a file, which is created if it is missing, instead of in memory: they survive a restart, and can be read for a day "
        + "after their end (those of --demo for an hour). One serve at a time uses the file; another one waits for it up to 30 s.");

    private readonly Option<bool> _verbose = OptionKinds.Flag(OptionKinds.Verbose, "Show more on stderr.");

    public ServeCommand()
        : base(
            "serve",
            "Serves numbered runs over SSE, JSON lines, long polling and WebSockets until Ctrl-C. Readers may disconnect and resume. "
            + "The source is --stdin, --file, --upstream or --demo. Runs are kept in memory, in a file with --store, or in PostgreSQL with --postgres.")
    {
        Option[] options =
        [
            _url, _stdin, _file, _delay, _upstream, _allowOrigin, _header, _method, _data, _onEnd, _demo, _steps, _store, _postgres, _verbose,
        ];
        foreach (var option in options)
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
        AllowedOrigins = parsed.GetRequiredValue(_allowOrigin),
        Headers = HeaderLines.Parse(parsed.GetRequiredValue(_header)),
        Method = parsed.GetValue(_method),
        Data = parsed.GetValue(_data),
        OnEnd = parsed.GetValue(_onEnd),
        IsDemo = parsed.GetValue(_demo),
        IsStepped = parsed.GetValue(_steps),
        Store = parsed.GetValue(_store),
        PostgreSql = parsed.GetValue(_postgres),
        Verbose = parsed.GetValue(_verbose),
    };
}
