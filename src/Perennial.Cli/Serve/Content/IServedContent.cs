using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Content;

/// <summary>The source of a server's runs.</summary>
internal interface IServedContent : IAsyncDisposable
{
    /// <summary>Sets the options for keeping runs.</summary>
    void Configure(PerennialServerOptions server);

    /// <summary>Registers how its runs go on after a restart. By default they end.</summary>
    void AddResumptions(PerennialServerBuilder server)
    {
    }

    /// <summary>Adds the ports that this source needs besides the server's own address.</summary>
    void Listen(KestrelServerOptions kestrel);

    /// <summary>Maps the endpoints of this source.</summary>
    void Map(WebApplication app);

    /// <summary>
    /// Begins after the server listens at the address. Returns the lines to print, with URLs of runs that every node can find by then.
    /// </summary>
    Task<IReadOnlyList<string>> BeginAsync(WebApplication app, Uri address);
}
