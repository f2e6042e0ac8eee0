using System.Net;
using Perennial.Http;

namespace Perennial.WebSockets;

/// <summary>Checks the options of a connection that begins as a request of HTTP/1.1 and is then upgraded (RFC 9110, section 7.8).</summary>
internal static class UpgradeCheck
{
    /// <param name="options">The options.</param>
    /// <param name="name">The name of the protocol, for the messages.</param>
    /// <param name="source">Where the protocol requires it, for the messages.</param>
    public static void Validate(HttpTransportOptions options, string name, string source = "")
    {
        OptionCheck.Require(
            options.EffectiveMethod == HttpMethod.Get,
            nameof(options.Method),
            $"A {name} requires GET without a Body{source}.");
        OptionCheck.Require(
            options.SendEndpoint is null,
            nameof(options.SendEndpoint),
            $"Messages are sent over the {name} itself; leave {nameof(options.SendEndpoint)} unset.");
        OptionCheck.Require(
            options.HttpVersion is null || options.HttpVersion == HttpVersion.Version11,
            nameof(options.HttpVersion),
            $"A {name} requires HTTP/1.1{source}; leave {nameof(options.HttpVersion)} unset.");
    }
}
