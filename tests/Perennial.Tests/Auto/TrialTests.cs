using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Perennial.Auto;
using Perennial.Testing;
using Perennial.Tests.Support;

namespace Perennial.Tests.Auto;

/// <summary>A trial either wins, and then its limit ends nothing any more, or it is a lost attempt.</summary>
public class TrialTests
{
    private static readonly TimeSpan Share = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_trial_that_is_cancelled_while_its_first_bytes_arrive_is_lost()
    {
        using var trial = new CancellationTokenSource();
        await using var connection = new AutoConnection(AutoProtocol.Sse, new CancellingConnection(trial), static _ => { });

        await Should.ThrowAsync<OperationCanceledException>(connection.ListenAsync(trial.Token));

        connection.HasBytes.ShouldBeFalse();
    }

    [Fact]
    public async Task A_limit_that_passes_while_the_first_bytes_arrive_does_not_end_the_stream()
    {
        var clock = new ManualTimeProvider();
        using var http = new LateStreams(clock);
        await using var auto = new AutoProbe(
            new Uri("http://localhost/"),
            options => options with { Order = [AutoProtocol.Sse, AutoProtocol.LongPoll], AttemptTimeout = Share },
            clock,
            http: http);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        auto.Transport.State.ShouldBe(TransportState.Closed);
        http.Streams.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task A_limit_of_the_handlers_own_is_a_lost_attempt()
    {
        using var http = new ImpatientHandler();
        await using var probe = new TransportProbe(
            new Perennial.Sse.SseTransportOptions { Endpoint = new Uri("http://localhost/"), Reconnect = TransportProbe.AtOnce },
            new TransportServices { HttpHandler = http });

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        probe.All<ErrorEvent>().ShouldHaveSingleItem().IsRecoverable.ShouldBeTrue();
    }

    private static HttpResponseMessage StreamOf(Stream body, HttpRequestMessage request)
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(body), RequestMessage = request };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue("text/event-stream");
        return response;
    }

    /// <summary>Its first read is cancelled from outside, and ends with bytes all the same.</summary>
    private sealed class CancellingConnection(CancellationTokenSource trial) : TransportConnection
    {
        public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
        {
            await trial.CancelAsync();
            batch.BytesReceived = 1;
            return ReadOutcome.More;
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>
    /// Answers with streams of a server that speaks Perennial's protocol; in the first, the limit of the trial passes during the first
    /// read.
    /// </summary>
    private sealed class LateStreams(ManualTimeProvider clock) : HttpMessageHandler
    {
        public int Streams { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var isFirst = ++Streams == 1;
            if (request.Headers.Accept.ToString().Contains("json", StringComparison.Ordinal))
            {
                return Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotAcceptable) { RequestMessage = request });
            }

            var text = "id: e-1\ndata: 1\n\nid: e-2\ndata: 2\n\nevent: perennial.completed\ndata: x\n\n";
            var response = StreamOf(new LateBody(Encoding.UTF8.GetBytes(text), isFirst ? clock : null), request);
            response.Headers.Add("Perennial-Protocol", "1");
            return Task.FromResult(response);
        }
    }

    /// <summary>Hands out 17 bytes at a time; before the first of them time passes.</summary>
    private sealed class LateBody(byte[] bytes, ManualTimeProvider? clock) : MemoryStream(bytes)
    {
        private bool _isLate = clock is not null;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_isLate && buffer.Length > 0)
            {
                _isLate = false;
                clock!.Advance(Share);
            }

            return new ValueTask<int>(Read(buffer.Span[..Math.Min(17, buffer.Length)]));
        }
    }

    /// <summary>Gives up on the first request by a timeout of its own.</summary>
    private sealed class ImpatientHandler : HttpMessageHandler
    {
        private int _requests;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            ++_requests == 1
            ? Task.FromException<HttpResponseMessage>(new TaskCanceledException("A timeout.", new TimeoutException()))
            : Task.FromResult(StreamOf(new MemoryStream("data: 1\n\n"u8.ToArray()), request));
    }
}
