using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Requests;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>What the client of one socket may do beside reading. Asked by one caller at a time.</summary>
/// <param name="handshake">The request that opened it.</param>
internal sealed class SocketRights(HttpContext handshake)
{
    private bool? _maySend;

    /// <summary>Asked once, and true or false for as long as the socket is open.</summary>
    public async ValueTask<bool> MaySendAsync() => _maySend ??= await AccessRule.AllowAsync(handshake, RunAction.Send);

    /// <summary>Asked each time.</summary>
    public ValueTask<bool> MayStopAsync() => AccessRule.AllowAsync(handshake, RunAction.Stop);
}
