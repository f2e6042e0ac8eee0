using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>
/// The upgrade of a request to <c>perennial.v1</c> in frames with their length before them (RFC 9110, section 7.8; docs/protocol.md).
/// </summary>
internal static class FramedUpgrade
{
    /// <summary>Whether a request asks for the upgrade and the server can upgrade its connection.</summary>
    public static bool IsAskedBy(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        && string.Equals(context.Request.Headers.Upgrade, WireHeaders.SubProtocol, StringComparison.OrdinalIgnoreCase);

    /// <summary>Accepts the upgrade and returns the stream of the connection.</summary>
    public static async Task<GatheringStream> AcceptAsync(HttpContext context)
    {
        context.Response.Headers.Upgrade = WireHeaders.SubProtocol;
        return new GatheringStream(await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync());
    }
}
