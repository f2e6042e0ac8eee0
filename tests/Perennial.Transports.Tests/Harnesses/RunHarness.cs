using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.Testing;

namespace Perennial.Transports.Tests.Harnesses;

/// <summary>A run of the real server on Kestrel, behind a proxy.</summary>
public abstract class RunHarness : TcpTransportHarness
{
    private readonly Channel<Func<RunWriter, Task>> _script = Channel.CreateUnbounded<Func<RunWriter, Task>>();
    private readonly ConcurrentQueue<string> _sends = new();
    private WebApplication? _app;
    private int _readers;

    public override TransportTraits Traits { get; } = new()
    {
        ResumesExactly = true,
        MarksEnd = true,
        TellsFailures = true,
        CanStop = true,
        Sends = SendPromise.ExactlyOnce,
        FramingBytes = 256,
    };

    /// <summary>Readers of the run: an HTTP client keeps connections that are idle.</summary>
    public override int Connections => Volatile.Read(ref _readers);

    public override IReadOnlyList<string> ReceivedSends => [.. _sends];

    public override Task WriteAsync(string text, CancellationToken cancellationToken) =>
        ScriptAsync(writer => writer.WriteAsync(text, cancellationToken).AsTask());

    public override Task CompleteAsync(CancellationToken cancellationToken)
    {
        _script.Writer.Complete();
        return Task.CompletedTask;
    }

    public override Task FailAsync(CancellationToken cancellationToken)
    {
        _script.Writer.Complete(new RunFailedException("Failed by the test.", "test"));
        return Task.CompletedTask;
    }

    protected override async Task<Uri> StartServerAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddPerennialServer(static options => options.MaxMessagesPerSecond = 100_000);
        _app = builder.Build();
        _app.Use(CountReadersAsync);
        _app.MapPerennial("/streams").AllowAnonymous();
        await _app.StartAsync(cancellationToken);
        var run = await _app.Services.GetRequiredService<StreamRuns>().StartAsync(ProduceAsync, new RunOptions { OnMessage = TakeAsync });
        return new Uri($"{_app.Urls.Single()}/streams/{run.Id}");
    }

    protected override async ValueTask StopServerAsync()
    {
        _script.Writer.TryComplete();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    private async Task ProduceAsync(RunWriter writer, CancellationToken stop)
    {
        await foreach (var step in _script.Reader.ReadAllAsync(stop))
        {
            await step(writer);
        }
    }

    private Task TakeAsync(RunMessage message, CancellationToken cancellationToken)
    {
        _sends.Enqueue(message.Text);
        return Task.CompletedTask;
    }

    private async Task CountReadersAsync(HttpContext context, RequestDelegate next)
    {
        var isReader = HttpMethods.IsGet(context.Request.Method);
        Interlocked.Add(ref _readers, isReader ? 1 : 0);
        try
        {
            await next(context);
        }
        finally
        {
            Interlocked.Add(ref _readers, isReader ? -1 : 0);
        }
    }

    private async Task ScriptAsync(Func<RunWriter, Task> step)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _script.Writer.WriteAsync(async writer =>
        {
            await step(writer);
            done.SetResult();
        });
        await done.Task;
    }
}
