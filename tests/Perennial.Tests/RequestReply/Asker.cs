using System.Collections.Concurrent;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;

namespace Perennial.Tests.RequestReply;

/// <summary>A transport in memory, its clock, and the requests it sent.</summary>
internal sealed class Asker : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _sent = new();

    public Asker(Func<InMemoryTransportOptions, InMemoryTransportOptions>? change = null)
    {
        var options = new InMemoryTransportOptions { Reconnect = TransportProbe.AtOnce, IdleTimeout = Timeout.InfiniteTimeSpan };
        Transport = new InMemoryTransport(change?.Invoke(options) ?? options, new TransportServices { Time = Clock }, Open);
    }

    public ManualTimeProvider Clock { get; } = new();

    public InMemoryTransport Transport { get; }

    public InMemoryConnection Connection => Transport.Connection;

    public IReadOnlyList<string> Sent => [.. _sent];

    public TransportMetrics Metrics => Transport.GetMetrics();

    /// <summary>What becomes of a send; by default it is acknowledged.</summary>
    public Func<CancellationToken, ValueTask<SendOutcome>> OnSend { get; set; } = static _ =>
        new ValueTask<SendOutcome>(SendOutcome.Acknowledged);

    /// <summary>The request that was sent as this number, from 0, once the transport knows that it was.</summary>
    public async Task<string> SentAsync(int number = 0)
    {
        await Patience.Until(() => Metrics.MessagesSent > number, $"request {number} was sent");
        return Sent[number];
    }

    /// <summary>Answers a request, once it was sent, and goes on with other messages.</summary>
    /// <param name="number">Which request, from 0.</param>
    /// <param name="members">What the reply says.</param>
    /// <param name="others">What comes with it.</param>
    public async Task<string> AnswerAsync(int number = 0, string members = "", params string[] others)
    {
        var reply = RequestText.Reply(await SentAsync(number), members);
        Connection.SayPlain([reply, .. others]);
        return reply;
    }

    public ValueTask DisposeAsync() => Transport.DisposeAsync();

    private ValueTask<TransportConnection> Open(InMemoryTransport transport, ConnectContext context, CancellationToken cancellationToken)
    {
        var connection = transport.NewConnection();
        connection.OnSend = (message, token) =>
        {
            _sent.Enqueue(message.Text());
            return OnSend(token);
        };
        return new ValueTask<TransportConnection>(connection);
    }
}
