namespace Perennial.Http;

/// <summary>Finds what contradicts the use of a caller's own HTTP handler.</summary>
internal static class ForeignHandler
{
    private static readonly HttpConnectionOptions Defaults = new();

    /// <summary>Refuses settings that the handler would leave without effect, and a handler that follows redirects.</summary>
    /// <exception cref="ArgumentException">There is such a setting, or the handler follows redirects.</exception>
    public static void Validate(HttpMessageHandler handler, HttpConnectionOptions options)
    {
        OptionCheck.Require(
            options == Defaults,
            nameof(HttpTransportOptions.Http),
            $"{nameof(HttpTransportOptions.Http)} must have its defaults beside an HTTP handler of one's own, which decides how connections are made.");
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
