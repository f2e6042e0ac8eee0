using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Content;

/// <summary>Where the runs of a server come from.</summary>
internal interface IServedContent : IAsyncDisposable
{
    /// <summary>Says how runs are kept.</summary>
    void Configure(PerennialServerOptions server);

    /// <summary>Listens where it needs to, besides the server's own address.</summary>
    void Listen(KestrelServerOptions kestrel);

    /// <summary>Adds what the server answers besides runs.</summary>
    void Map(WebApplication app);

    /// <summary>Begins, once the server listens at the address. Returns what to print: where to go from here, which every node knows by then.</summary>
    Task<IReadOnlyList<string>> BeginAsync(WebApplication app, Uri address);
}
