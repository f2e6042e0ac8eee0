namespace Perennial.Testing;

/// <summary>
/// A harness whose transport reaches its server over TCP: a <see cref="FaultProxy"/> between them cuts, refuses and goes silent.
/// </summary>
public abstract class TcpTransportHarness : TransportHarness
{
    private FaultProxy? _proxy;
    private bool _silent;

    /// <summary>Gets where transports connect: the proxy, with the scheme, path and query of the server's address.</summary>
    /// <exception cref="InvalidOperationException">The harness is not started.</exception>
    public Uri Address => Proxy.Address;

    /// <summary>Gets the proxy between the transport and the server.</summary>
    /// <exception cref="InvalidOperationException">The harness is not started.</exception>
    protected FaultProxy Proxy => _proxy ?? throw new InvalidOperationException("The harness is not started; call StartAsync first.");

    /// <inheritdoc/>
    public override int Connections => Proxy.LiveConnections;

    /// <inheritdoc/>
    public override bool Refusing
    {
        get => Proxy.Refusing;
        set => Proxy.Refusing = value;
    }

    /// <inheritdoc/>
    public override bool Silent
    {
        get => _silent;
        set
        {
            _silent = value;
            if (value)
            {
                Proxy.StallAll();
            }
            else
            {
                Proxy.ResumeAll();
            }
        }
    }

    /// <inheritdoc/>
    public override int CutAll(CutMode how) => Proxy.CutAll(how);

    /// <inheritdoc/>
    public sealed override async Task StartAsync(CancellationToken cancellationToken) =>
        _proxy = FaultProxy.Start(await StartServerAsync(cancellationToken));

    /// <summary>Starts the server.</summary>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <returns>Its absolute address with a port, on this machine.</returns>
    protected abstract Task<Uri> StartServerAsync(CancellationToken cancellationToken);

    /// <summary>Stops the server. Called once the proxy has ended all connections.</summary>
    protected abstract ValueTask StopServerAsync();

    /// <inheritdoc/>
    public sealed override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        await StopServerAsync();
    }
}
