using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore;
using Perennial.PostgreSql;
using Perennial.Redis;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// Two runs, in memory, in PostgreSQL or in Redis: one that is written to, and one that has had its first event. Or a node that serves those of
/// another.
/// </summary>
internal sealed class PerennialServer : IBroadcast
{
    private readonly WebApplication _application;
    private readonly RunWriter? _busy;

    private PerennialServer(WebApplication application, RunWriter? busy, string busyPath, string idlePath) =>
        (_application, _busy, BusyPath, IdlePath) = (application, busy, busyPath, idlePath);

    public string Origin => _application.Urls.First();

    public string BusyPath { get; }

    public string IdlePath { get; }

    /// <param name="settings">Nothing; or a store and its connection string, and perhaps the path of another node's run.</param>
    public static async Task<PerennialServer> StartAsync(string[] settings)
    {
        var application = await KestrelServer.StartAsync(builder =>
        {
            var perennial = builder.Services.AddPerennialServer(options => options.MaxBytesPerRun = 1L << 30);
            _ = settings switch
            {
                ["postgresql", var connectionString, ..] => perennial.AddPostgreSqlStore(connectionString),
                ["redis", var connectionString, ..] => perennial.AddRedisStore(connectionString),
                _ => perennial,
            };
        }, static application => application.MapPerennial("/streams").AllowAnonymous());
        if (settings is [_, _, var path])
        {
            return new PerennialServer(application, busy: null, path, path);
        }

        var (busy, busyPath) = await StartRunAsync(application);
        var (idle, idlePath) = await StartRunAsync(application);
        await idle.WriteAsync("hello");
        return new PerennialServer(application, busy, busyPath, idlePath);
    }

    public async Task SendAsync(int events)
    {
        for (var n = 0; n < events; n++)
        {
            await _busy!.WriteAsync(Token.Now());
        }
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static async Task<(RunWriter Writer, string Path)> StartRunAsync(WebApplication application)
    {
        var started = new TaskCompletionSource<RunWriter>(TaskCreationOptions.RunContinuationsAsynchronously);
        var run = await application.Services.GetRequiredService<StreamRuns>().StartAsync(async (writer, stop) =>
        {
            started.SetResult(writer);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        return (await started.Task, $"/streams/{run.Id}");
    }
}
