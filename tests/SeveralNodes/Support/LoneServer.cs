using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;

namespace Perennial.SeveralNodes.Tests.Support;

/// <summary>
/// A node in a process of its own, which serves runs over HTTP until its input ends. It prints its address once it listens.
/// </summary>
/// <remarks>
/// <c>POST /runs?events=80&amp;messages=5&amp;seed=1</c> starts a run that writes numbers and each message it hears, and ends when it has
/// written all the numbers and heard so many messages. The answer is its id. With <c>&amp;resumable=1</c> another node goes on with the
/// numbers if this one is gone.
/// </remarks>
internal static class LoneServer
{
    /// <summary>The type of the events that tell of a message.</summary>
    public const string Heard = "heard";

    private const string Numbers = "numbers";
    private const int LongestPause = 40;     // ms

    public static async Task<int> RunAsync(string connectionString, string space)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var server = builder.Services.AddPerennialServer(options => options.LongPollHold = TimeSpan.FromSeconds(2));
        StoreUnderTest.Add(server.AddResumption(Numbers, CountOnAsync), connectionString, space, ServerProcess.Lease);
        await using var app = builder.Build();
        app.MapPerennial("/streams").AllowAnonymous();
        app.MapPost("/runs", StartAsync);
        await app.StartAsync();
        await Console.Out.WriteLineAsync(app.Urls.Single());
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
        return 0;
    }

    private static async Task CountOnAsync(ResumedRun run, CancellationToken stop)
    {
        var written = 0;
        await foreach (var record in run.ReadRecordedAsync(stop))
        {
            written = int.Parse(RunReading.TextOf(record), CultureInfo.InvariantCulture);
        }

        await CountAsync(run.Writer, written + 1, Number("events"), Number("seed"), stop);

        int Number(string name) => int.Parse(run.Run.Metadata[name], CultureInfo.InvariantCulture);
    }

    private static async Task CountAsync(RunWriter writer, int from, int to, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        for (var n = from; n <= to; n++)
        {
            await writer.WriteAsync(n.ToString(CultureInfo.InvariantCulture), cancellationToken: stop);
            if (random.Next(3) == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(LongestPause)), TimeProvider.System, stop);
            }
        }
    }

    private static async Task StartAsync(HttpContext context)
    {
        var run = await StartRunAsync(
            context.RequestServices.GetRequiredService<StreamRuns>(), Number("events"), Number("messages"), Number("seed"),
            context.Request.Query.ContainsKey("resumable"));
        await context.Response.WriteAsync(run.Id, context.RequestAborted);

        int Number(string name) => int.Parse(context.Request.Query[name].ToString(), CultureInfo.InvariantCulture);
    }

    private static Task<StartedRun> StartRunAsync(StreamRuns runs, int events, int messages, int seed, bool isResumable)
    {
        var writing = new TaskCompletionSource<RunWriter>(TaskCreationOptions.RunContinuationsAsynchronously);
        var allHeard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var heard = 0;
        if (messages == 0)
        {
            allHeard.SetResult();
        }

        return runs.StartAsync(ProduceAsync, new RunOptions
        {
            OnMessage = HearAsync,
            ResumeWith = isResumable ? Numbers : null,
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["events"] = $"{events}", ["seed"] = $"{seed}" },
        });

        async Task ProduceAsync(RunWriter writer, CancellationToken stop)
        {
            writing.SetResult(writer);
            await CountAsync(writer, 1, events, seed, stop);
            await allHeard.Task.WaitAsync(stop);
        }

        async Task HearAsync(RunMessage message, CancellationToken stop)
        {
            await (await writing.Task).WriteAsync(message.Text, Heard, stop);
            if (++heard == messages)
            {
                allHeard.SetResult();
            }
        }
    }
}
