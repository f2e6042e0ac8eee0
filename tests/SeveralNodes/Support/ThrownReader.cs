using System.Globalization;
using Perennial.Auto;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.WebSockets;

namespace Perennial.SeveralNodes.Tests.Support;

/// <summary>
/// One client of a run of <see cref="LoneServer"/>: reads it to its end, checks each record, and sends messages meanwhile.
/// </summary>
internal sealed class ThrownReader(Transport transport)
{
    private static readonly ReconnectOptions Reconnect = new()
    {
        InitialDelay = TimeSpan.FromMilliseconds(20),
        MaxDelay = TimeSpan.FromSeconds(1),
        MaxAttempts = ReconnectOptions.Unlimited,
    };

    private readonly List<string> _heard = [];
    private int _numbers;

    /// <summary>The sequence of the last record.</summary>
    public long Sequence { get; private set; }

    /// <summary>How many of the run's own numbers were read.</summary>
    public int Numbers => _numbers;

    /// <summary>The messages that the run has heard, in its order.</summary>
    public IReadOnlyList<string> Heard => _heard;

    public TransportMetrics Metrics => transport.GetMetrics();

    /// <summary>What a client of this kind says when it sends the message of a number.</summary>
    public static string Message(int number) => FormattableString.Invariant($"message {number}");

    public static Transport Create(string kind, Uri stream, ProtocolMemory memory) => kind switch
    {
        "sse" => new SseTransport(new() { Endpoint = stream, Reconnect = Reconnect }),
        "http-stream" => new HttpStreamTransport(new() { Endpoint = stream, Reconnect = Reconnect }),
        "long-poll" => new LongPollTransport(new() { Endpoint = stream, Reconnect = Reconnect, Interval = TimeSpan.Zero }),
        "websocket" => new WebSocketTransport(new() { Endpoint = stream, Reconnect = Reconnect }),
        _ => new AutoTransport(new() { Endpoint = stream, Reconnect = Reconnect, ProtocolMemory = memory }),
    };

    /// <summary>Reads to the end, and sends so many messages, one behind the other.</summary>
    /// <param name="messages">How many.</param>
    /// <param name="onRead">Called for each record.</param>
    public async Task<StreamEnd> FollowAsync(int messages, Action onRead)
    {
        var sending = SendAsync(messages);
        try
        {
            await foreach (var message in transport.ReadAllAsync(TestContext.Current.CancellationToken))
            {
                Check(message);
                onRead();
            }
        }
        catch (TransportException e) when (e.Code == TransportErrorCode.ServerFailed)
        {
            // The run failed, as its end says.
        }

        await sending;
        return await transport.Completion;
    }

    private void Check(StreamMessage message)
    {
        var sequence = long.Parse(message.Id!.AsSpan(message.Id!.IndexOf('-') + 1), CultureInfo.InvariantCulture);
        sequence.ShouldBe(Sequence + 1);
        Sequence = sequence;
        if (message.EventType is LoneServer.Heard)
        {
            _heard.Add(message.Text);
        }
        else
        {
            message.Text.ShouldBe((++_numbers).ToString(CultureInfo.InvariantCulture));
        }
    }

    // A send whose answer the end of the stream has overtaken fails, and the stream itself tells whether it was heard.
    private async Task SendAsync(int messages)
    {
        try
        {
            for (var n = 1; n <= messages; n++)
            {
                await transport.SendAsync(Message(n), TestContext.Current.CancellationToken);
            }
        }
        catch (TransportException) when (!transport.Completion.IsFaulted)
        {
            await transport.Completion;
        }
    }
}
