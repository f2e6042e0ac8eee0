using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Perennial.Gateway;

namespace Perennial.Clients.Tests.Roads;

/// <summary>A gateway in front of the provider.</summary>
internal sealed class GatewayRoadServer : IRoadServer
{
    private readonly WebApplication _app;
    private readonly ProviderServer _provider;

    private GatewayRoadServer(WebApplication app, ProviderServer provider)
    {
        _app = app;
        _provider = provider;
        app.MapPerennialGateway("", provider.Address.GetLeftPart(UriPartial.Authority));
    }

    public Uri BaseAddress => new(new Uri(_app.Urls.Single()), _provider.BaseAddress.AbsolutePath);

    public static async Task<IRoadServer> StartAsync(ProviderServer provider)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddPerennialGateway();
        var server = new GatewayRoadServer(builder.Build(), provider);
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
