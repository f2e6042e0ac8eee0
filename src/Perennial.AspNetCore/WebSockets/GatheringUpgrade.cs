using Microsoft.AspNetCore.Http.Features;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>
/// Puts a <see cref="GatheringStream"/> below the WebSocket that the platform creates for a request, over HTTP/1.1 and HTTP/2.
/// </summary>
internal sealed class GatheringUpgrade(
    IHttpUpgradeFeature? upgrade, IHttpExtendedConnectFeature? connect) : IHttpUpgradeFeature, IHttpExtendedConnectFeature
{
    /// <summary>The stream of the accepted WebSocket.</summary>
    public GatheringStream? Stream { get; private set; }

    public bool IsUpgradableRequest => upgrade?.IsUpgradableRequest == true;

    public bool IsExtendedConnect => connect?.IsExtendedConnect == true;

    public string? Protocol => connect?.Protocol;

    /// <summary>Replaces the server's own features. Null if the request has none, as on a test server.</summary>
    public static GatheringUpgrade? TryInstall(IFeatureCollection features)
    {
        var (upgrade, connect) = (features.Get<IHttpUpgradeFeature>(), features.Get<IHttpExtendedConnectFeature>());
        if (upgrade is null && connect is null)
        {
            return null;
        }

        var gathering = new GatheringUpgrade(upgrade, connect);
        if (upgrade is not null)
        {
            features.Set<IHttpUpgradeFeature>(gathering);
        }

        if (connect is not null)
        {
            features.Set<IHttpExtendedConnectFeature>(gathering);
        }

        features.Set<IHttpWebSocketFeature>(null);     // a WebSocket middleware of the application would use the features from before
        return gathering;
    }

    public async Task<Stream> UpgradeAsync() => Stream = new GatheringStream(await upgrade!.UpgradeAsync());

    public async ValueTask<Stream> AcceptAsync() => Stream = new GatheringStream(await connect!.AcceptAsync());
}
