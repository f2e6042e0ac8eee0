using System.Text.Json;
using System.Text.Unicode;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Upstream;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Wire;

namespace Perennial.Gateway.Answers;

/// <summary>The body of an upstream's stream, which becomes a run. Used by one caller.</summary>
internal sealed class UpstreamStream : IAsyncDisposable
{
    private const int BlockBytes = 32 * 1024;
    private const string Interrupted = "upstream_interrupted";

    /// <summary>How long the head waits for the first event if the path suggests a dialect: clients give up when no head comes.</summary>
    private static readonly TimeSpan FirstEventWait = TimeSpan.FromSeconds(2);

    private readonly HttpResponseMessage _response;
    private readonly HttpContent _content;
    private readonly Stream _body;
    private readonly GatewayOptions _options;
    private readonly TimeProvider _time;
    private readonly EventReader _events;
    private readonly StreamDialect _judge;
    private readonly MessageBatch _batch = new();
    private readonly byte[] _block = new byte[BlockBytes];
    private Task<int>? _reading;        // a read that was begun before the run
    private bool _hasMessages;
    private bool _isCut;                // the body ended inside an event

    public UpstreamStream(
        HttpResponseMessage response, HttpContent content, Stream body, bool isLines, GatewayOptions options, TimeProvider time)
    {
        _response = response;
        _content = content;
        _body = body;
        _options = options;
        _time = time;
        _events = isLines ? new LineReader(options.MaxEventBytes) : new SseReader(options.MaxEventBytes);
        _judge = new StreamDialect(options.Dialect);
        _judge.Begin(response);
        Dialect = isLines ? PlainDialect.Lines : PlainDialect.Events;
    }

    /// <summary>The dialect that the run has.</summary>
    public Dialect Dialect { get; private set; }

    /// <summary>The head of the response.</summary>
    public RecordedHead Head => ResponseHead.Of(_response, _content, Dialect) with { ResponseId = ResponseId(), ChatId = ChatId() };

    /// <summary>Recognizes the dialect: from the head, from the first events, or else from a hint if no event comes soon.</summary>
    /// <exception cref="IOException">The upstream's response broke off.</exception>
    public async ValueTask RecognizeAsync(Dialect? hint, CancellationToken cancellationToken)
    {
        if (_options.Dialect == Dialects.None)
        {
            return;
        }

        var patience = Task.Delay(hint is null ? Timeout.InfiniteTimeSpan : FirstEventWait, _time, cancellationToken);
        while (_judge.Dialect is null && _batch.Count == 0)
        {
            _reading ??= _body.ReadAsync(_block, CancellationToken.None).AsTask();
            if (await Task.WhenAny(_reading, patience).WaitAsync(cancellationToken) == patience)
            {
                break;
            }

            var length = await _reading;
            if (length == 0)
            {
                break;      // the relay finds the end again
            }

            _reading = null;
            _events.Read(_block.AsSpan(0, length), _batch);
        }

        _judge.Look(_batch.Messages);
        var dialect = _judge.Dialect ?? (_batch.Count == 0 ? hint : null);
        if (dialect is not null && (dialect.Framing == DialectFraming.JsonLines) == (Dialect.Framing == DialectFraming.JsonLines))
        {
            Dialect = dialect == Dialects.Mcp && WatchedBody.IdOf(_response) is { } id ? Dialects.McpAnswerTo(id) : dialect;
        }
    }

    /// <summary>Writes head and events of the stream into a run, and disposes it.</summary>
    /// <exception cref="RunFailedException">The stream broke off, failed, or ended without the end of its dialect.</exception>
    public async Task ProduceAsync(RunWriter writer, CancellationToken stop)
    {
        await using (this)
        {
            var ahead = new WriteAhead(writer);
            try
            {
                await ahead.WriteAsync(Head.ToEvent(), stop);
                await RelayAsync(ahead, stop);
                await ahead.FinishAsync();
            }
            catch (TransportException e)
            {
                await ahead.FinishAsync();
                throw new RunFailedException($"The upstream's stream cannot be passed on. {e.Message}", "upstream_invalid", e);
            }
            catch (Exception e) when (e is IOException or HttpRequestException or InvalidDataException)
            {
                await ahead.FinishAsync();
                throw new RunFailedException("The upstream's response broke off.", Interrupted, e);
            }
            finally
            {
                ahead.Abandon();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _events.Release();
        _content.Dispose();      // closes the connection, which also ends a read that is under way
        _response.Dispose();
        await _body.DisposeAsync();
    }

    /// <summary>Whether a dialect is that of MCP, also of the answer to one request.</summary>
    public static bool IsMcp(string dialect) =>
        dialect.StartsWith(Dialects.Mcp.Name, StringComparison.Ordinal)
            && (dialect.Length == Dialects.Mcp.Name.Length || dialect[Dialects.Mcp.Name.Length] == ':');

    private string? ChatId() =>
        Dialect == Dialects.AISdk && WatchedBody.IdOf(_response) is { ValueKind: JsonValueKind.String } id ? id.GetString() : null;

    private string? ResponseId() => Dialect == Dialects.OpenAIResponses && _batch.Count > 0
        && DialectJson.ValueOf(_batch.Messages[0].Data.Span, "response"u8) is { ValueKind: JsonValueKind.Object } response
        && response.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()
            : null;

    private async Task RelayAsync(WriteAhead ahead, CancellationToken stop)
    {
        using var idle = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(stop, idle.Token);
        bool isOpen;
        do
        {
            for (var i = 0; i < _batch.Count; i++)
            {
                if (await RelayAsync(_batch.Messages[i], ahead, stop))
                {
                    return;
                }
            }

            _batch.Clear();
            try
            {
                isOpen = await ReadAsync(idle, leave.Token);
            }
            catch (OperationCanceledException e) when (idle.IsCancellationRequested && !stop.IsCancellationRequested)
            {
                throw new IOException("The upstream was silent for longer than IdleTimeout.", e);
            }
        }
        while (isOpen || _batch.Count > 0);

        if (_isCut || _judge.IsUnfinished || (!_hasMessages && Dialect is not PlainDialect) || (_judge.Dialect is null && !_options.UnmarkedEndIsComplete))
        {
            throw new RunFailedException("The upstream's response ended before its stream was complete.", Interrupted);
        }
    }

    /// <summary>Writes one event. Returns true if it is the last one.</summary>
    private async ValueTask<bool> RelayAsync(StreamMessage message, WriteAhead ahead, CancellationToken stop)
    {
        _hasMessages = true;
        var signal = _judge.Classify(in message) ?? SseConventions.Classify(in message);
        var eventType = message.NamesItsEventType ? message.EventType : null;
        if (EventNames.IsReserved(eventType) || !Utf8.IsValid(message.Data.Span))
        {
            throw new TransportException(
                TransportErrorCode.InvalidMessage, "An event is not UTF-8, or has a type that is reserved for Perennial.");
        }

        // The data is not copied: the memory of a message never changes.
        await ahead.WriteAsync(new RunEvent { EventType = eventType, Data = message.Data, Kind = RunDataKind.Text }, stop);
        if (signal == StreamSignal.Failed)
        {
            await ahead.FinishAsync();
            var error = ServerError.FromJson(message.Data);
            throw new RunFailedException(error.Message ?? "The upstream's stream failed.", error.Code ?? "upstream_failed");
        }

        return signal is StreamSignal.Completed or StreamSignal.DeliveredThenCompleted;
    }

    /// <summary>Reads the next bytes. Returns false at the end of the body.</summary>
    private async ValueTask<bool> ReadAsync(CancellationTokenSource idle, CancellationToken leave)
    {
        idle.CancelAfter(_options.IdleTimeout);
        var length = _reading is null ? await _body.ReadAsync(_block, leave) : await _reading.WaitAsync(leave);
        idle.CancelAfter(Timeout.InfiniteTimeSpan);
        _reading = null;
        if (length == 0)
        {
            _isCut = !_events.Finish(_batch);
            return false;
        }

        _events.Read(_block.AsSpan(0, length), _batch);
        return true;
    }
}
