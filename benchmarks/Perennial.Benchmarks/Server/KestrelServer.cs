using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Perennial.Benchmarks.Server;

/// <summary>An application on a free port of this machine, as its templates have it but for logs.</summary>
internal static class KestrelServer
{
    public static async Task<WebApplication> StartAsync(Action<WebApplicationBuilder> configure, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        configure(builder);
        var application = builder.Build();
        map(application);
        await application.StartAsync();
        return application;
    }
}
