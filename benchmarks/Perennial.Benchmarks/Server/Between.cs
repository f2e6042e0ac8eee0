using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.Gateway;
using Yarp.ReverseProxy.Forwarder;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// A process between a client and an upstream: YARP, which only forwards, or the gateway, which makes a run of a stream. Lines on its input
/// ask what that cost.
/// </summary>
internal static class Between
{
    public const string Yarp = "yarp";
    public const string Gateway = "perennial";

    [SuppressMessage("Reliability", "CA2000", Justification = "The client of the upstream lives as long as the process.")]
    public static async Task RunAsync(string name, string upstream)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddHttpForwarder();
        builder.Services.AddPerennialGateway();
        await using var app = builder.Build();
        if (string.Equals(name, Gateway, StringComparison.Ordinal))
        {
            app.MapPerennialGateway("", upstream, static options => options.Retention = TimeSpan.Zero);
        }
        else
        {
            var client = new HttpMessageInvoker(new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                UseCookies = false,
                UseProxy = false,
                ActivityHeadersPropagator = null,
            });
            app.MapForwarder("/{**path}", upstream, new ForwarderRequestConfig(), HttpTransformer.Default, client);
        }

        await app.StartAsync();
        Console.WriteLine(app.Urls.First());
        Serving.Answer();
    }
}
