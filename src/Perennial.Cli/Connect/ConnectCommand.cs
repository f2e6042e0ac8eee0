using System.CommandLine;
using Perennial.Cli.Arguments;

namespace Perennial.Cli.Connect;

/// <summary><c>perennial connect URL</c>: reads a stream until it ends and prints what arrives.</summary>
internal sealed class ConnectCommand : Command
{
    private const int Hour = 3_600_000;
    private const int Day = 24 * Hour;

    private readonly Argument<string> _url = new("URL")
    {
        Description = "The URL of the stream: http:// or https://, for a WebSocket also ws:// or wss://, "
            + "for a byte stream tcp://, tls:// or unix:FILE:PATH.",
    };

    private readonly Option<TransportKind> _transport = OptionKinds.Choice(
        "--transport",
        "The protocol. Default auto: the first of websocket, sse, http-stream and long-poll that works; for ws:// and wss:// websocket, "
        + "for tcp://, tls:// and unix: byte-stream.",
        ("auto", TransportKind.Auto),
        ("sse", TransportKind.Sse),
        ("websocket", TransportKind.WebSocket),
        ("http-stream", TransportKind.HttpStream),
        ("long-poll", TransportKind.LongPoll),
        ("byte-stream", TransportKind.ByteStream));

    private readonly Option<string[]> _header = OptionKinds.Texts("--header", "'K: V'", "A header of every request. May be repeated.");

    private readonly Option<string?> _method =
        OptionKinds.Text("--method", "METHOD", "The method that opens the stream. Default: POST with --data, else GET.");

    private readonly Option<string?> _data = OptionKinds.Text(
        "--data",
        "TEXT",
        "The body of the request: text, @FILE, or @- for standard input. JSON is sent as application/json unless --header says otherwise.");

    private readonly Option<string?> _lastEventId = OptionKinds.Text("--last-event-id", "ID", "Start after the message with this id.");

    private readonly Option<int?> _retryDelay =
        OptionKinds.Number("--retry-delay", "MS", 0, Hour, "The first wait before a reconnect. Default 1000.");

    private readonly Option<int?> _maxRetryDelay =
        OptionKinds.Number("--max-retry-delay", "MS", 0, Day, "The longest wait before a reconnect. Default 30000.");

    private readonly Option<int?> _maxAttempts =
        OptionKinds.Number("--max-attempts", "N", 0, int.MaxValue, "Reconnects without progress before giving up. Default 5.");

    private readonly Option<bool> _noReconnect = OptionKinds.Flag("--no-reconnect", "Exit when the connection is lost.");

    private readonly Option<bool> _noJitter = OptionKinds.Flag("--no-jitter", "Do not randomise the waits.");

    private readonly Option<int?> _idleTimeout = OptionKinds.Number(
        "--idle-timeout",
        "MS",
        1,
        Day,
        "The time without a byte after which a connection counts as lost. Default 300000, or three heartbeats.");

    private readonly Option<int?> _connectTimeout =
        OptionKinds.Number("--connect-timeout", "MS", 1, Hour, "How long one attempt may take. Default 30000.");

    private readonly Option<int?> _heartbeat = OptionKinds.Number(
        "--heartbeat", "MS", 10, Hour, "The time without a byte after which connect pings a WebSocket peer. Default 15000.");

    private readonly Option<string[]> _subProtocol = OptionKinds.Texts(
        "--subprotocol", "NAME", "A WebSocket subprotocol to offer. May be repeated; preferred ones first.");

    private readonly Option<string?> _dialect = OptionKinds.Text(
        "--dialect",
        "NAME",
        "The streaming format of the AI provider, which decides when an answer is complete. Default recognized; none turns it off.");

    private readonly Option<EndOfStreamPolicy> _onEnd = OptionKinds.Choice(
        "--on-end",
        "The meaning of a normal end without an end marker: the end, a lost connection, or a pause. Default complete.",
        ("complete", EndOfStreamPolicy.Complete),
        ("require-marker", EndOfStreamPolicy.RequireMarker),
        ("reconnect", EndOfStreamPolicy.Reconnect));

    private readonly Option<int?> _bufferSize =
        OptionKinds.Number("--buffer-size", "N", 1, 1_000_000, "Messages that may wait to be printed. Default 1000.");

    private readonly Option<BufferFullMode> _bufferStrategy = OptionKinds.Choice(
        "--buffer-strategy",
        "The reaction to a full buffer. Default block, which loses nothing.",
        ("block", BufferFullMode.Block),
        ("drop-oldest", BufferFullMode.DropOldest),
        ("drop-newest", BufferFullMode.DropNewest),
        ("unlimited", BufferFullMode.Unlimited));

    private readonly Option<int?> _maxMessageBytes =
        OptionKinds.Number("--max-message-bytes", "N", 1, 1 << 30, "The largest message accepted. Default 16777216.");

    private readonly Option<bool> _allowReplay = OptionKinds.Flag(
        "--allow-replay", "Repeat a request other than GET even if the server may have acted on it.");

    private readonly Option<string[]> _send = OptionKinds.Texts(
        "--send", "TEXT", "A message to send after connecting. May be repeated; sent in order.");

    private readonly Option<int?> _take = OptionKinds.Number("--take", "N", 1, int.MaxValue, "End after this many messages.");

    private readonly Option<bool> _json = OptionKinds.Flag("--json", "Print one JSON object per line for every event.");

    private readonly Option<bool> _verbose = OptionKinds.Flag(OptionKinds.Verbose, "Show more on stderr.");

    public ConnectCommand()
        : base(
            "connect",
            "Reads a stream until it ends. Prints the data of each message and a newline on stdout as it arrives, other events on stderr.")
    {
        Add(_url);
        foreach (Option option in new Option[]
            {
                _transport, _header, _method, _data, _lastEventId, _retryDelay, _maxRetryDelay, _maxAttempts, _noReconnect, _noJitter,
                _idleTimeout, _connectTimeout, _heartbeat, _subProtocol, _dialect, _onEnd, _bufferSize, _bufferStrategy, _maxMessageBytes, _allowReplay, _send, _take,
                _json, _verbose,
            })
        {
            Add(option);
        }

        SetAction((parsed, cancellationToken) => ConnectRun.RunAsync(Read(parsed), cancellationToken));
    }

    private ConnectSettings Read(ParseResult parsed) => new()
    {
        Url = parsed.GetRequiredValue(_url),
        Transport = parsed.GetValue(_transport),
        Headers = HeaderLines.Parse(parsed.GetRequiredValue(_header)),
        Method = parsed.GetValue(_method),
        Data = parsed.GetValue(_data),
        LastEventId = parsed.GetValue(_lastEventId),
        RetryDelay = Milliseconds(parsed.GetValue(_retryDelay)),
        MaxRetryDelay = Milliseconds(parsed.GetValue(_maxRetryDelay)),
        MaxAttempts = parsed.GetValue(_maxAttempts),
        NoReconnect = parsed.GetValue(_noReconnect),
        NoJitter = parsed.GetValue(_noJitter),
        IdleTimeout = Milliseconds(parsed.GetValue(_idleTimeout)),
        ConnectTimeout = Milliseconds(parsed.GetValue(_connectTimeout)),
        Heartbeat = Milliseconds(parsed.GetValue(_heartbeat)),
        SubProtocols = parsed.GetRequiredValue(_subProtocol),
        Dialect = parsed.GetValue(_dialect),
        OnEnd = parsed.GetValue(_onEnd),
        BufferSize = parsed.GetValue(_bufferSize),
        BufferStrategy = parsed.GetValue(_bufferStrategy),
        MaxMessageBytes = parsed.GetValue(_maxMessageBytes),
        AllowReplay = parsed.GetValue(_allowReplay),
        Sends = parsed.GetRequiredValue(_send),
        Take = parsed.GetValue(_take),
        Json = parsed.GetValue(_json),
        Verbose = parsed.GetValue(_verbose),
    };

    private static TimeSpan? Milliseconds(int? value) => value is { } number ? TimeSpan.FromMilliseconds(number) : null;
}
