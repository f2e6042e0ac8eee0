using Perennial.Testing;

namespace Perennial.Tests.WebSockets.PerennialV1;

/// <summary>
/// A server that takes numbered sends as docs/protocol.md says, in memory, and cuts the line again and again: before a message, after it
/// and before its ack, or after that, by FIN or by reset. One connection at a time.
/// </summary>
/// <param name="random">Decides about cuts and acks.</param>
/// <param name="cuts">How many connections it cuts; the next stays.</param>
internal sealed class NumberingServer(Random random, int cuts)
{
    private readonly Lock _gate = new();
    private readonly List<string> _taken = [];
    private readonly Dictionary<string, long> _received = new(StringComparer.Ordinal);

    /// <summary>What was taken, in order.</summary>
    public IReadOnlyList<string> Taken
    {
        get
        {
            lock (_gate)
            {
                return [.. _taken];
            }
        }
    }

    /// <summary>How many connections were cut after a message had come and before its ack had left.</summary>
    public int LostAcks { get; private set; }

    public int CutsLeft { get; private set; } = cuts;

    public Func<ScriptedExchange, Task> Script => PerennialSocket.Script(ServeAsync);

    private async Task ServeAsync(PerennialSocket socket)
    {
        var acknowledged = 0L;
        var left = CutsLeft > 0 ? random.Next(0, 250) : int.MaxValue;
        string? sender = null;
        while (await socket.HearAsync() is { } said)
        {
            if (left-- == 0 && random.Next(2) == 0)
            {
                break;
            }

            if (said.Sender is not null)
            {
                sender = said.Sender;
                await socket.AcknowledgeAsync(acknowledged = _received.GetValueOrDefault(sender));
                continue;
            }

            Take(sender.ShouldNotBeNull(), said);
            if (left < 0)
            {
                break;
            }

            if (left > 1_000_000 || random.Next(8) == 0)
            {
                await socket.AcknowledgeAsync(acknowledged = _received[sender]);
            }
        }

        LostAcks += sender is not null && _received.GetValueOrDefault(sender) > acknowledged ? 1 : 0;
        await CutAsync(socket);
    }

    private async Task CutAsync(PerennialSocket socket)
    {
        CutsLeft = Math.Max(0, CutsLeft - 1);
        if (random.Next(2) == 0)
        {
            await socket.Frames.ResetAsync();
        }
    }

    private void Take(string sender, Said said)
    {
        var received = _received.GetValueOrDefault(sender);
        said.Number.ShouldBeLessThanOrEqualTo(received + 1, "The client left a hole.");
        if (said.Number <= received)
        {
            return;
        }

        lock (_gate)
        {
            _taken.Add(said.Text!);
        }

        _received[sender] = said.Number;
    }
}
