using Perennial.AspNetCore.Delivery;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>The form of a socket that speaks <c>perennial.v1</c>.</summary>
/// <param name="Kind">The name in counters.</param>
/// <param name="MaxMessageBytes">The size of the largest message.</param>
internal readonly record struct SocketForm(ReaderKind Kind, int MaxMessageBytes);
