using System.Net;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>A sequence of polls that did not fail. Each read is one of them.</summary>
internal sealed class LongPollConnection : TransportConnection
{
    private readonly HttpExchange _http;
    private readonly LongPollTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _polls = new();
    private Task<HttpResponseMessage>? _poll;
    private long _polledAt;
    private string? _lastEventId;
    private bool _speaksPerennial;

    public LongPollConnection(HttpExchange http, LongPollTransportOptions options, string? lastEventId, TimeProvider time)
    {
        _http = http;
        _options = options;
        _time = time;
        _lastEventId = lastEventId;
        _poll = Poll();
    }

    public override bool SendsAreRepeatable => true;

    /// <summary>Returns when the first poll was answered, or was held long enough to trust that it will be.</summary>
    public async Task WaitForFirstAnswerAsync(TimeSpan longEnough, CancellationToken cancellationToken)
    {
        try
        {
            await _poll!.WaitAsync(longEnough, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The server holds the request until there is news.
        }
    }

    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        using var leave = cancellationToken.UnsafeRegister(static polls => ((CancellationTokenSource)polls!).Cancel(), _polls);
        using var response = await NextAnswerAsync(cancellationToken).ConfigureAwait(false);
        _speaksPerennial = response.Headers.NonValidated.Contains("Perennial-Protocol");
        if (response.StatusCode == HttpStatusCode.NoContent)
        {
            return IsOver(response) ? ReadOutcome.Completed : ReadOutcome.More;
        }

        await ReadAnswerAsync(response, batch, cancellationToken).ConfigureAwait(false);
        foreach (ref readonly var message in batch.Messages)
        {
            _lastEventId = message.Id ?? _lastEventId;
        }

        return ReadOutcome.More;
    }

    public override StreamSignal Classify(in StreamMessage message)
    {
        var control = _speaksPerennial ? ControlEvents.Classify(in message) : StreamSignal.None;
        return control != StreamSignal.None ? control
            : !_speaksPerennial && !JsonConventions.MayBeJson(message.Data.Span) ? StreamSignal.Malformed
            : _options.Classify is { } classify ? classify(in message)
            : _speaksPerennial ? JsonConventions.ClassifyErrors(in message)
            : JsonConventions.Classify(in message);
    }

    public override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        await _http.PostAsync(message, cancellationToken).ConfigureAwait(false);
        return SendOutcome.Acknowledged;
    }

    public override async ValueTask StopAsync(CancellationToken cancellationToken) => await _http.StopAsync(cancellationToken).ConfigureAwait(false);

    public override async ValueTask DisposeAsync()
    {
        await _polls.CancelAsync().ConfigureAwait(false);
        if (_poll is { } poll)
        {
            await poll.ContinueWith(
                static ended => { if (ended.IsCompletedSuccessfully) { ended.Result.Dispose(); } else { _ = ended.Exception; } },
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> NextAnswerAsync(CancellationToken cancellationToken)
    {
        if (_poll is null)
        {
            var wait = _options.Interval - _time.GetElapsedTime(_polledAt);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
            }
        }

        var answer = await (_poll ?? Poll()).ConfigureAwait(false);
        _poll = null;
        return answer;
    }

    private Task<HttpResponseMessage> Poll()
    {
        _polledAt = _time.GetTimestamp();
        return _http.OpenAsync(_lastEventId, _polls.Token);
    }

    private async Task ReadAnswerAsync(HttpResponseMessage response, MessageBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var isJson = response.Content.Headers.ContentType?.MediaType is "application/json";
            var answer = new PollAnswer(_options.MaxMessageBytes, _speaksPerennial);
            batch.BytesReceived = await answer.ReadAsync(body, isJson, batch, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (HttpErrors.IsNetwork(e) || e is InvalidDataException)
        {
            throw HttpErrors.FromBody(e);
        }
    }

    /// <summary>Nothing yet, or nothing ever again: a server that speaks Perennial's protocol says which.</summary>
    private static bool IsOver(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Perennial-Status", out var status)
        && !string.Equals(status.ToString(), "running", StringComparison.Ordinal);
}
