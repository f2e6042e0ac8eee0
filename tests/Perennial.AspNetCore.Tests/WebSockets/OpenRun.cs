using System.Text;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.WebSockets;

/// <summary>A run that says nothing and goes on, and what was sent to it.</summary>
internal sealed class OpenRun : IAsyncDisposable
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public OpenRun(RunServer server) =>
        Run = server.Runs.Start((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));

    public StartedRun Run { get; }

    public async Task<IReadOnlyList<RunMessage>> MessagesAsync(long after = 0) => await (await Run.Events).ReadMessagesAsync(after, TestEnds);

    public async Task<IEnumerable<string>> TextsAsync(long after = 0) =>
        (await MessagesAsync(after)).Select(static message => Encoding.UTF8.GetString(message.Data.Span));

    public async ValueTask DisposeAsync() => await Run.StopAsync(CancellationToken.None);
}
