using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace Perennial.Hosting;

/// <summary>Sends requests through the handlers of a named client of <see cref="IHttpClientFactory"/>. Thread safe.</summary>
/// <remarks>
/// Each request gets its handlers from the factory, so that they rotate as the factory decides. A response keeps the handlers that it came
/// through. The <see cref="HttpClient"/> itself is not used, because its timeout would end a stream.
/// </remarks>
internal sealed class NamedHttpClient(IHttpMessageHandlerFactory handlers, string name) : HttpMessageHandler
{
    private static readonly HttpRequestOptionsKey<HttpMessageHandler> KeptHandler = new("Perennial.KeptHandler");

    /// <summary>The handlers that a request would use now.</summary>
    /// <exception cref="Exception">An exception of the application's own code that creates the handlers.</exception>
    public HttpMessageHandler CurrentHandler => handlers.CreateHandler(name);

    /// <summary>Finds the client with this name.</summary>
    /// <param name="provider">The application's services.</param>
    /// <param name="name">The name.</param>
    /// <param name="client">The client. <see langword="null"/> if the method returns false.</param>
    /// <param name="problem">Why the client does not exist or cannot be used.</param>
    public static bool TryFind(IServiceProvider provider, string name, [NotNullWhen(true)] out NamedHttpClient? client, out string problem)
    {
        client = null;
        problem = "";
        if (provider.GetService<IHttpMessageHandlerFactory>() is not { } handlers || !IsConfigured(provider, name))
        {
            problem = $"HttpClient must name a client that AddHttpClient has registered and configured; '{name}' is not registered.";
            return false;
        }

        using (var http = provider.GetRequiredService<IHttpClientFactory>().CreateClient(name))
        {
            if (http.DefaultRequestHeaders.Any())
            {
                problem = $"HttpClient '{name}' has DefaultRequestHeaders, which a transport does not send; set Headers of the transport instead.";
                return false;
            }
        }

        client = new NamedHttpClient(handlers, name);
        return true;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var handler = CurrentHandler;
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        var response = await invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        (response.RequestMessage ?? request).Options.Set(KeptHandler, handler);
        return response;
    }

    /// <summary>
    /// Whether the application configured the client with this name, or all clients. The factory itself creates a client for any name.
    /// </summary>
    private static bool IsConfigured(IServiceProvider provider, string name) =>
        provider.GetServices<IConfigureOptions<HttpClientFactoryOptions>>()
            .OfType<ConfigureNamedOptions<HttpClientFactoryOptions>>()
            .Any(configured => configured.Name is null || string.Equals(configured.Name, name, StringComparison.Ordinal));
}
