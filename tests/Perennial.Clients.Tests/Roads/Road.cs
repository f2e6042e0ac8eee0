namespace Perennial.Clients.Tests.Roads;

/// <summary>How a client comes to its provider.</summary>
/// <param name="Name">A name for tables.</param>
/// <param name="OpenAsync">Makes the way to one provider.</param>
internal sealed record Road(string Name, Func<ProviderServer, Task<IRoadServer>> OpenAsync)
{
    /// <summary>The client asks the provider itself.</summary>
    public static Road Direct { get; } = new("direct", provider => Task.FromResult<IRoadServer>(new DirectServer(provider)));

    /// <summary>The client asks an application, which relays the provider's stream as a run.</summary>
    public static Road Run { get; } = new("run", RelayServer.StartAsync)
    {
        // MCP's error names a request, which only the application knows. Gemini's error is no event, so the client library does not
        // read it.
        PassesErrors = static dialect => dialect != Dialects.Mcp && dialect != Dialects.Gemini,
    };

    /// <summary>The client asks a gateway in front of the provider.</summary>
    public static Road Gateway { get; } = new("gateway", GatewayRoadServer.StartAsync)
    {
        PassesErrors = static dialect => dialect != Dialects.Gemini,      // as above
    };

    public static IReadOnlyList<Road> OverPerennial { get; } = [Run, Gateway];

    /// <summary>Whether the message of the provider's error comes through.</summary>
    public Func<Dialect, bool> PassesErrors { get; private init; } = static _ => true;

    public override string ToString() => Name;

    private sealed record DirectServer(ProviderServer Provider) : IRoadServer
    {
        public Uri BaseAddress => Provider.BaseAddress;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>A server that a client asks.</summary>
internal interface IRoadServer : IAsyncDisposable
{
    /// <summary>What a client takes as its base URL.</summary>
    Uri BaseAddress { get; }
}
