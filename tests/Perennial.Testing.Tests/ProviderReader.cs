using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;

namespace Perennial.Testing.Tests;

/// <summary>Posts the sample prompt of a provider and reads its answer, as an application with Perennial's client does.</summary>
internal sealed class ProviderReader : IAsyncDisposable
{
    private readonly Transport _transport;
    private readonly IAsyncEnumerator<StreamMessage> _messages;

    public ProviderReader(ProviderServer server, Dialect? dialect = null)
    {
        HttpTransportOptions options = server.Dialect == Dialects.Ollama
            ? new HttpStreamTransportOptions { Endpoint = server.Endpoint }
            : new SseTransportOptions { Endpoint = server.Endpoint };
        options = options with
        {
            Body = RequestBody.Text(server.SampleRequest, "application/json"),
            Dialect = dialect ?? Dialects.Recognized,
            Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero, Jitter = false },
        };
        _transport = options is SseTransportOptions sse
            ? new SseTransport(sse)
            : new HttpStreamTransport((HttpStreamTransportOptions)options);
        _messages = _transport.ReadAllAsync(Wire.Cancelled).GetAsyncEnumerator(Wire.Cancelled);
    }

    /// <summary>How many messages have been read.</summary>
    public int Count { get; private set; }

    /// <summary>Starts the script, reads its answer to the end, and returns how that ended. The prompt must have been paid once.</summary>
    public static async Task<StreamEnd> ReadAsync(ScriptedProvider script, Dialect? dialect = null)
    {
        await using var server = script.Start();
        await using var reader = new ProviderReader(server, dialect);
        var end = await reader.ReadToEndAsync();
        server.Requests.Count.ShouldBe(1);
        return end;
    }

    public async Task ReadAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            (await _messages.MoveNextAsync()).ShouldBeTrue();
            Count++;
        }
    }

    public async Task<StreamEnd> ReadToEndAsync()
    {
        try
        {
            while (await _messages.MoveNextAsync())
            {
                Count++;
            }
        }
        catch (TransportException)
        {
            // Completion says it as well.
        }

        return await _transport.Completion;
    }

    public async ValueTask DisposeAsync()
    {
        await _messages.DisposeAsync();
        await _transport.DisposeAsync();
    }
}
