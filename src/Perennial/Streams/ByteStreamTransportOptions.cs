using Perennial.Http;
using Perennial.WebSockets;

namespace Perennial.Streams;

/// <summary>
/// Options for <see cref="ByteStreamTransport"/>. Only <see cref="TransportOptions.Endpoint"/> has no default. It is such as
/// <c>tcp://host:port/path</c>, <c>tls://host:port/path</c> or <c>unix:/path/to/socket:/path</c>, where the last path is that of the run.
/// </summary>
public sealed record ByteStreamTransportOptions : HttpTransportOptions
{
    private NestedOptions<HeartbeatOptions> _heartbeat;

    /// <summary>
    /// Gets a callback that opens the stream of bytes, once per attempt, for instance a named pipe or a tunnel. The transport disposes the
    /// stream. With the scheme tls it adds TLS. <see cref="HttpConnectionOptions.Proxy"/> has no effect then. An exception of the callback
    /// is a failed attempt. Default <see langword="null"/>: the transport connects to the endpoint.
    /// </summary>
    public Func<CancellationToken, ValueTask<Stream>>? Connect { get; init; }

    /// <summary>Gets the options for detecting a dead peer. <see cref="HeartbeatOptions.AsJson"/> must be false.</summary>
    public HeartbeatOptions Heartbeat { get => _heartbeat.Shown; init => _heartbeat = new(value); }

    internal HeartbeatOptions HeartbeatRules => _heartbeat.Read;

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Schemes => ["tcp", "tls", UnixSocketUrl.Scheme];

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        OptionCheck.NotNull(HeartbeatRules, nameof(Heartbeat)).Validate();
        OptionCheck.Require(!HeartbeatRules.AsJson, nameof(Heartbeat), "Heartbeat.AsJson applies to WebSockets only.");
        UpgradeCheck.Validate(this, "byte stream");
        CheckPlace(Endpoint, nameof(Endpoint));
        CheckPlace(ResumeFrom?.Endpoint, nameof(ResumeFrom));
    }

    private void CheckPlace(Uri? url, string name)
    {
        if (url is not { IsAbsoluteUri: true })
        {
            return;
        }

        var isUnix = string.Equals(url.Scheme, UnixSocketUrl.Scheme, StringComparison.Ordinal);
        OptionCheck.Require(
            !isUnix || UnixSocketUrl.TryRead(url, out _),
            name,
            $"{name} must be a file whose path fits a socket, a colon and a path, such as unix:/run/app.sock:/streams/7.");
        OptionCheck.Require(
            isUnix || url.Port >= 0 || Connect is not null, name, $"{name} must have a port, such as tcp://host:5080/streams/7.");
    }
}
