namespace Perennial.Http;

/// <summary>Checks that the options do not conflict with an HTTP handler of the caller.</summary>
internal static class ForeignHandler
{
    private static readonly HttpConnectionOptions Defaults = new();

    /// <summary>Checks that no setting would be without effect, and that the handler does not follow redirects.</summary>
    /// <exception cref="ArgumentException">A setting would have no effect, or the handler follows redirects.</exception>
    public static void Validate(HttpMessageHandler handler, HttpConnectionOptions options)
    {
        OptionCheck.Require(
            options == Defaults,
            nameof(HttpTransportOptions.Http),
            $"{nameof(HttpTransportOptions.Http)} must keep its defaults if an HTTP handler is set, because the handler makes the connections.");
        OptionCheck.Require(
            !FollowsRedirects(handler),
            nameof(TransportServices.HttpHandler),
            "The HTTP handler must not follow redirects: set AllowAutoRedirect to false on its primary handler. The transport follows redirects itself and keeps credentials at their origin.");
    }

    private static bool FollowsRedirects(HttpMessageHandler? handler)
    {
        while (handler is DelegatingHandler outer)
        {
            handler = outer.InnerHandler;
        }

        return handler is SocketsHttpHandler { AllowAutoRedirect: true } or HttpClientHandler { AllowAutoRedirect: true };
    }
}
