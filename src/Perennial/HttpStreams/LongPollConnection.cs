using System.Net;
using System.Text;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.HttpStreams;

/// <summary>A sequence of successful polls. A read waits for the next response, or for more of the response being read.</summary>
internal sealed class LongPollConnection : TransportConnection
{
    private readonly HttpExchange _http;
    private readonly LongPollTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _polls = new();
    private Task<HttpResponseMessage>? _poll;           // the first poll, until its response is read
    private PollAnswer? _answer;                        // the response being read
    private long _polledAt;
    private bool _isFirst = true;                       // the poll in progress
    private string? _lastEventId;
    private bool _speaksPerennial;

    public LongPollConnection(HttpExchange http, LongPollTransportOptions options, string? lastEventId, TimeProvider time)
    {
        _http = http;
        _options = options;
        _time = time;
        _lastEventId = lastEventId;
        _poll = PollAsync();
    }

    public override bool SendsAreRepeatable => _http.PostsAreRepeatable;

    /// <summary>Returns when the first poll was answered, or was held long enough to assume that it will be.</summary>
    public async Task WaitForFirstAnswerAsync(TimeSpan longEnough, CancellationToken cancellationToken)
    {
        try
        {
            await _poll!.WaitAsync(longEnough, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The server holds the request until it has new messages.
        }
    }

    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        using var leave = cancellationToken.UnsafeRegister(static polls => ((CancellationTokenSource)polls!).Cancel(), _polls);
        if (_answer is null)
        {
            var response = await NextResponseAsync(cancellationToken).ConfigureAwait(false);
            _speaksPerennial = ProtocolHeaders.SpeaksPerennial(response);
            if (ProtocolHeaders.Heartbeat(response) is { } heartbeat)
            {
                ReportLongestSilence(heartbeat * 3);
            }

            if (response.StatusCode == HttpStatusCode.NoContent)
            {
                AddEnding(response, batch);
                response.Dispose();
                return ReadOutcome.More;
            }

            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            _answer = new PollAnswer(response, body, _options.MaxMessageBytes, _speaksPerennial);
        }

        await ReadAnswerAsync(_answer, batch, cancellationToken).ConfigureAwait(false);
        MoveCursor(batch);
        return ReadOutcome.More;
    }

    public override StreamSignal Classify(in StreamMessage message)
    {
        var control = _speaksPerennial ? ControlEvents.Classify(in message) : StreamSignal.None;
        return control != StreamSignal.None ? control
            : _options.Classify is { } classify ? classify(in message)
            : _speaksPerennial ? JsonConventions.ClassifyPassingErrors(in message)
            : JsonConventions.ClassifyResponse(in message);
    }

    public override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        await _http.PostAsync(message, cancellationToken).ConfigureAwait(false);
        return SendOutcome.Acknowledged;
    }

    public override async ValueTask StopAsync(CancellationToken cancellationToken) =>
        await _http.StopAsync(cancellationToken).ConfigureAwait(false);

    public override async ValueTask DisposeAsync()
    {
        await _polls.CancelAsync().ConfigureAwait(false);
        _answer?.Dispose();
        if (_poll is { } poll)
        {
            await poll.ContinueWith(
                static ended => { if (ended.IsCompletedSuccessfully) { ended.Result.Dispose(); } else { _ = ended.Exception; } },
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> NextResponseAsync(CancellationToken cancellationToken)
    {
        if (_poll is { } first)
        {
            var response = await first.ConfigureAwait(false);
            _poll = null;
            return response;
        }

        // A server that speaks Perennial's protocol answers the first poll at once, as the request asked for, and holds the next one.
        var wait = _isFirst && _speaksPerennial ? TimeSpan.Zero : _options.Interval - _time.GetElapsedTime(_polledAt);
        _isFirst = false;
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
            ReportActivity();       // the pause was on this side
        }

        return await PollAsync().ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> PollAsync()
    {
        _polledAt = _time.GetTimestamp();
        var response = await _http.OpenAsync(_lastEventId, _polls.Token, _isFirst ? RequestImmediateAnswer : null).ConfigureAwait(false);
        try
        {
            JsonContent.ThrowIfOther(response);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Requests an answer at once, for the first poll only: it proves that the server can be reached and allows sending messages (RFC 7240,
    /// section 4.3).
    /// </summary>
    private static void RequestImmediateAnswer(HttpRequestMessage request) =>
        request.Headers.TryAddWithoutValidation(WaitPreference.HeaderName, WaitPreference.Format(TimeSpan.Zero));

    private async Task ReadAnswerAsync(PollAnswer answer, MessageBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            if (!await answer.ReadAsync(batch, cancellationToken).ConfigureAwait(false))
            {
                answer.Dispose();
                _answer = null;
            }
        }
        catch (Exception e) when (HttpErrors.IsNetwork(e) || e is InvalidDataException)
        {
            throw HttpErrors.FromBody(e);
        }
    }

    /// <summary>Moves the cursor: the next poll requests the messages after these, which are delivered by then.</summary>
    private void MoveCursor(MessageBatch batch)
    {
        if (batch.HasCursor)
        {
            _lastEventId = Encoding.UTF8.GetString(batch.Cursor);
            return;
        }

        for (var i = batch.Count - 1; i >= 0; i--)
        {
            if (batch.Messages[i].Id is { } id)
            {
                _lastEventId = id;
                return;
            }
        }
    }

    /// <summary>
    /// Handles a response without content: no message yet, or the end of the stream. A server that speaks Perennial's protocol sends the
    /// state instead of an end event.
    /// </summary>
    private void AddEnding(HttpResponseMessage response, MessageBatch batch)
    {
        if (ProtocolHeaders.Status(response) is (StatusNames.Completed or StatusNames.Stopped or StatusNames.Failed) and var status)
        {
            _speaksPerennial = true;
            batch.Add(default, eventType: EventNames.ReservedPrefix + status);
        }
    }
}
