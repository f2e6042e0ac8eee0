using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore;
using Perennial.Cli.Serve.Content;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>Serves one run: the upstream's response to the request of the command line, which is sent once, at the start.</summary>
internal sealed class UpstreamAnswer(UpstreamRequest upstream) : IServedContent
{
    public void Configure(PerennialServerOptions server)
    {
    }

    public void Listen(KestrelServerOptions kestrel)
    {
    }

    public void Map(WebApplication app)
    {
    }

    public async Task<IReadOnlyList<string>> BeginAsync(WebApplication app, Uri address)
    {
        var run = await app.Services.GetRequiredService<StreamRuns>().StartAsync(
            (writer, stop) => UpstreamRelay.ProduceAsync(upstream.Open(), writer, stop), RunLine.KeptLong);
        return [RunLine.For(address, run)];
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
