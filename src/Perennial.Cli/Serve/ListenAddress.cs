using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Perennial.Cli.Arguments;

namespace Perennial.Cli.Serve;

/// <summary>The address at which the server listens. Immutable.</summary>
/// <param name="ip">The IP address, or <see langword="null"/> for localhost with all its addresses.</param>
/// <param name="port">The port; 0 lets the system choose one.</param>
internal sealed class ListenAddress(IPAddress? ip, int port)
{
    private static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>Whether only this machine can reach the server.</summary>
    public bool IsLoopback => ip is null || IPAddress.IsLoopback(ip);

    /// <summary>
    /// The accepted host names. A server for this machine alone refuses other names: otherwise a page of any site could make its own name
    /// resolve to this address and read the runs.
    /// </summary>
    public IReadOnlyList<string> HostNames => IsLoopback ? LoopbackNames : ["*"];

    /// <exception cref="UsageException">The server cannot listen at the URL.</exception>
    public static ListenAddress Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not "http" || uri.PathAndQuery is not "/"
            || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0)
        {
            throw new UsageException($"--url must look like http://127.0.0.1:5080, without a path, not '{url}'");
        }

        if (string.Equals(uri.Host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            // The system cannot choose one port for two addresses.
            return new ListenAddress(uri.Port == 0 ? IPAddress.Loopback : null, uri.Port);
        }

        return IPAddress.TryParse(uri.DnsSafeHost, out var address)
            ? new ListenAddress(address, uri.Port)
            : throw new UsageException(
                $"--url must name localhost or an IP address of this machine, such as 0.0.0.0 for all, not '{uri.Host}'");
    }

    public void Apply(KestrelServerOptions kestrel)
    {
        if (ip is null)
        {
            kestrel.ListenLocalhost(port);
        }
        else
        {
            kestrel.Listen(ip, port);
        }
    }
}
