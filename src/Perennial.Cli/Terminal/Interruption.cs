using System.Runtime.InteropServices;

namespace Perennial.Cli.Terminal;

/// <summary>
/// Ctrl-C and termination, as a token. The first signal cancels the token; the second ends the program as the system does.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private const int SignalBase = 128;                 // a shell adds the number of the signal that ended a program
    private const int Interrupted = SignalBase + 2;
    private const int Terminated = SignalBase + 15;

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public Interruption()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Leave(signal, Interrupted));
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Leave(signal, Terminated));
    }

    public CancellationToken Token => _source.Token;

    /// <summary>The exit code of a program that was interrupted.</summary>
    public int ExitCode { get; private set; }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _source.Dispose();
    }

    private void Leave(PosixSignalContext signal, int exitCode)
    {
        if (_source.IsCancellationRequested)
        {
            return;
        }

        signal.Cancel = true;
        ExitCode = exitCode;
        _source.Cancel();
    }
}
