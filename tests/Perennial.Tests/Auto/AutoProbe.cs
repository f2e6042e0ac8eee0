using Perennial.Auto;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;

namespace Perennial.Tests.Auto;

/// <summary>A transport that chooses, with a memory and a log of its own.</summary>
internal sealed class AutoProbe : IAsyncDisposable
{
    public AutoProbe(
        ScriptedServer server,
        Func<AutoTransportOptions, AutoTransportOptions>? change = null,
        TimeProvider? time = null,
        ProtocolMemory? memory = null,
        HttpMessageHandler? http = null)
        : this(server.Address, change, time, memory, http)
    {
    }

    public AutoProbe(
        Uri endpoint,
        Func<AutoTransportOptions, AutoTransportOptions>? change = null,
        TimeProvider? time = null,
        ProtocolMemory? memory = null,
        HttpMessageHandler? http = null)
    {
        var plain = new AutoTransportOptions
        {
            Endpoint = endpoint,
            Reconnect = TransportProbe.AtOnce,
            LongPollInterval = TimeSpan.Zero,
            ProtocolMemory = memory ?? new ProtocolMemory(),
            WebSocket = new() { AllowPlain = true },
        };
        var services = new TransportServices
        {
            LoggerFactory = Log,
            Time = time ?? TimeProvider.System,
            HttpHandler = http,
        };
        Transport = new AutoTransport(change?.Invoke(plain) ?? plain, services);
        Probe = new TransportProbe(Transport);
    }

    public LogSink Log { get; } = new();

    public AutoTransport Transport { get; }

    public TransportProbe Probe { get; }

    /// <summary>What was passed over and why, as it was logged.</summary>
    public IEnumerable<string> LoggedReasons => Log.Lines.Select(static line => line.Text)
        .Where(static text => text.Contains("passed over", StringComparison.Ordinal))
        .Select(static text =>
            text[(text.IndexOf(": ", StringComparison.Ordinal) + 2)..].Split(" (")[0].Replace(
                " passed over:", "", StringComparison.Ordinal));

    public IEnumerable<(AutoProtocol, FallbackReason)> Reasons =>
        Transport.FailedProtocols.Select(static each => (each.Protocol, each.Reason));

    public ValueTask DisposeAsync() => Probe.DisposeAsync();
}
