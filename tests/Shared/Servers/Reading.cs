using Perennial.Tests.Fixtures;

namespace Perennial.Transports.Tests.Servers;

/// <summary>What the tests do with every transport.</summary>
internal static class Reading
{
    public static ReconnectOptions Quickly { get; } = new()
    {
        InitialDelay = TimeSpan.FromMilliseconds(1),
        MaxDelay = TimeSpan.FromMilliseconds(20),
        MaxAttempts = ReconnectOptions.Unlimited,
    };

    public static async Task<List<StreamMessage>> ReadThroughAsync(this Transport transport, string last)
    {
        List<StreamMessage> messages = [];
        await ReadAsync().Soon();
        return messages;

        async Task ReadAsync()
        {
            await foreach (var message in transport.ReadAllAsync(TestContext.Current.CancellationToken))
            {
                messages.Add(message);
                if (string.Equals(message.Text, last, StringComparison.Ordinal))
                {
                    return;
                }
            }
        }
    }

    public static IEnumerable<string> Texts(this IEnumerable<StreamMessage> messages) => messages.Select(static message => message.Text);
}
