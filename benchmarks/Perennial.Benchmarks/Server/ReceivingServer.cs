using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore;

namespace Perennial.Benchmarks.Server;

/// <summary>A run that takes messages and does nothing with them, in a process of its own.</summary>
internal static class ReceivingServer
{
    public static async Task RunAsync()
    {
        await using var application = await KestrelServer.StartAsync(
            static builder => builder.Services.AddPerennialServer(static options => options.MaxMessagesPerSecond = 1_000_000),
            static application => application.MapPerennial("/streams").AllowAnonymous());
        var run = await application.Services.GetRequiredService<StreamRuns>().StartAsync(
            static (_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop),
            new RunOptions { OnMessage = static (_, _) => Task.CompletedTask });
        Console.WriteLine($"{application.Urls.First()}/streams/{run.Id}");

        // The parent closes our input when it is done.
        await Console.In.ReadToEndAsync();
    }
}
