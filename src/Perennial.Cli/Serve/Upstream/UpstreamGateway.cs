using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Perennial.AspNetCore;
using Perennial.Cli.Arguments;
using Perennial.Cli.Serve.Content;
using Perennial.Gateway;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>
/// Forwards every request to the upstream of the command line, and makes its streams runs. A client that loses its connection reads on at
/// <c>Content-Location</c>, or repeats the request with its <c>Idempotency-Key</c>; neither causes a second request upstream.
/// </summary>
internal sealed class UpstreamGateway(ServeSettings settings) : IServedContent
{
    public void Configure(PerennialServerOptions server)
    {
    }

    public void Listen(KestrelServerOptions kestrel)
    {
    }

    /// <exception cref="UsageException">The settings are invalid.</exception>
    public void Map(WebApplication app)
    {
        try
        {
            app.MapPerennialGateway("", settings.Upstream!, Set);
        }
        catch (ArgumentException e) when (e.ParamName is "baseAddress")
        {
            throw new UsageException("--upstream must be an absolute URL that starts with http:// or https://, without a fragment");
        }
        catch (ArgumentException e)
        {
            throw UsageException.From(e);
        }
    }

    public Task<IReadOnlyList<string>> BeginAsync(WebApplication app, Uri address) => Task.FromResult<IReadOnlyList<string>>(
    [
        $"Use {address.GetLeftPart(UriPartial.Authority)} as the base URL in place of {Origin()}. "
        + "A stream is requested once; it can be read again at its Content-Location.",
        $"curl -N {address} --json '{{...}}'",
    ]);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Set(GatewayOptions options)
    {
        options.UnmarkedEndIsComplete = settings.OnEnd == EndOfStreamPolicy.Complete;
        foreach (var (name, value) in settings.Headers)
        {
            options.Headers[name] = value;
        }

        foreach (var origin in settings.AllowedOrigins)
        {
            options.AllowedOrigins.Add(origin);
        }
    }

    /// <summary>The upstream without what may be secret: user, password, path and query.</summary>
    private string Origin()
    {
        var url = new Uri(settings.Upstream!);
        return $"{url.Scheme}://{url.Authority}";
    }
}
