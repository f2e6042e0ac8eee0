using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Requests;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Checks the rights of a socket's client to send and to stop. Used by one caller at a time.</summary>
/// <param name="handshake">The request that opened the socket.</param>
internal sealed class SocketRights(HttpContext handshake)
{
    private bool? _maySend;

    /// <summary>Checks the rule once. The result holds while the socket is open.</summary>
    public async ValueTask<bool> MaySendAsync() => _maySend ??= await AccessRule.AllowAsync(handshake, RunAction.Send);

    /// <summary>Checks the rule at each call.</summary>
    public ValueTask<bool> MayStopAsync() => AccessRule.AllowAsync(handshake, RunAction.Stop);
}
