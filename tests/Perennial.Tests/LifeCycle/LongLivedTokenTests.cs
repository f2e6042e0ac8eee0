using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.LifeCycle;

/// <summary>A token that outlives what it was given to keeps nothing of it alive.</summary>
public class LongLivedTokenTests
{
    [Fact]
    public async Task Completed_sends_leave_nothing_on_their_token()
    {
        using var longLived = new CancellationTokenSource();
        await using var transport = new InMemoryTransport();
        await transport.ConnectAsync().Soon();
        transport.Connection.OnSend = static (_, _) => new ValueTask<SendOutcome>(SendOutcome.Acknowledged);       // keeps none
        var messages = new List<WeakReference>();

        for (var i = 0; i < 20_000; i++)
        {
            await SendAsync(transport, messages, longLived.Token);
        }

        await SendAsync(transport, messages, CancellationToken.None);       // the queue keeps the last one for a moment
        await Patience.Until(
            () =>
            {
                GC.Collect();
                return messages.Count(static message => message.IsAlive) <= 1;
            },
            "sent messages are collected");
        longLived.Token.CanBeCanceled.ShouldBeTrue();       // it is alive up to here
    }

    private static Task<SendOutcome> SendAsync(
        InMemoryTransport transport, List<WeakReference> messages, CancellationToken cancellationToken)
    {
        var message = new byte[100];
        messages.Add(new WeakReference(message));
        return transport.SendAsync(message, cancellationToken);
    }
}
