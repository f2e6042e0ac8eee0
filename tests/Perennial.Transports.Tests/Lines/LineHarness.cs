using Perennial.Testing;

namespace Perennial.Transports.Tests.Lines;

/// <summary>The sample transport and a server for it.</summary>
public sealed class LineHarness : TcpTransportHarness
{
    private readonly LineServer _server = new();

    public override TransportTraits Traits { get; } = new()
    {
        ResumesExactly = true,
        MarksEnd = true,
        TellsFailures = true,
        CanStop = true,
        Sends = SendPromise.ExactlyOnce,
    };

    public override IReadOnlyList<string> ReceivedSends => _server.Received;

    public override Transport CreateTransport(TransportSetup setup) =>
        new LineTransport(setup.ApplyTo(new LineTransportOptions { Endpoint = Address }), setup.Services);

    public override Task WriteAsync(string text, CancellationToken cancellationToken)
    {
        _server.Write(text);
        return Task.CompletedTask;
    }

    public override Task CompleteAsync(CancellationToken cancellationToken)
    {
        _server.End("end completed");
        return Task.CompletedTask;
    }

    public override Task FailAsync(CancellationToken cancellationToken)
    {
        _server.End($"failed {LineServer.Encode("""{"error":{"message":"Failed by the test."}}""")}");
        return Task.CompletedTask;
    }

    protected override Task<Uri> StartServerAsync(CancellationToken cancellationToken) => Task.FromResult(_server.Start());

    protected override ValueTask StopServerAsync() => _server.DisposeAsync();
}
