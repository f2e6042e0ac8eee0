
using Perennial.AspNetCore.Delivery;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>A reader over a WebSocket.</summary>
internal interface ISocketSink : IRunSink
{
    /// <summary>The code to close with after the end record was written.</summary>
    int EndCode { get; }
}
