using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;

namespace Perennial.Transports.Mqtt;

/// <summary>Opens the stream of bytes below MQTT: TCP, TLS or a WebSocket (MQTT 5, section 4.2).</summary>
internal static class MqttStreams
{
    public static Task<Stream> OpenAsync(MqttTransportOptions options, CancellationToken cancellationToken) =>
        options.IsWebSocket ? OpenWebSocketAsync(options, cancellationToken) : OpenTcpAsync(options, cancellationToken);

    private static async Task<Stream> OpenTcpAsync(MqttTransportOptions options, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(options.Endpoint.IdnHost, options.Port, cancellationToken).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (options.IsEncrypted)
            {
                var encrypted = new SslStream(stream);
                stream = encrypted;
                await encrypted.AuthenticateAsClientAsync(TlsOf(options), cancellationToken).ConfigureAwait(false);
            }

            return stream;
        }
        catch
        {
            stream?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> OpenWebSocketAsync(MqttTransportOptions options, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol("mqtt");
            if (options.ConfigureTls is not null)
            {
                var tls = TlsOf(options);
                socket.Options.RemoteCertificateValidationCallback = tls.RemoteCertificateValidationCallback;
                if (tls.ClientCertificates is { } certificates)
                {
                    socket.Options.ClientCertificates = certificates;
                }
            }

            await socket.ConnectAsync(WithoutUserInfo(options.Endpoint), cancellationToken).ConfigureAwait(false);
            return WebSocketStream.Create(socket, WebSocketMessageType.Binary, TimeSpan.FromSeconds(1));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions TlsOf(MqttTransportOptions options)
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = options.Endpoint.IdnHost };
        options.ConfigureTls?.Invoke(tls);
        return tls;
    }

    /// <summary>User name and password belong into CONNECT.</summary>
    private static Uri WithoutUserInfo(Uri url) => new UriBuilder(url) { UserName = "", Password = "" }.Uri;
}
