namespace Perennial.Http;

/// <summary>
/// The URLs whose server has announced that a request with the same <c>Idempotency-Key</c> starts a stream once (<c>Perennial-Starts:
/// once</c>). Holds at most 1,000 URLs, for one hour each. Thread safe.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class StartsOnceMemory(TimeProvider time)
{
    private const int Capacity = 1000;
    private static readonly TimeSpan Expiry = TimeSpan.FromHours(1);

    private readonly ExpiringMap<bool> _urls = new(Capacity, time);

    /// <summary>The memory that all transports of the process share.</summary>
    public static StartsOnceMemory Shared { get; } = new(TimeProvider.System);

    public bool Contains(Uri url) => _urls.Find(KeyOf(url), Expiry) is not null;

    /// <summary>
    /// Records the announcement in a response from this URL. A success without the announcement removes the URL. An error may come from a
    /// proxy and changes nothing.
    /// </summary>
    /// <returns>Whether the URL starts a stream once. <see langword="null"/> if the response does not determine it.</returns>
    public bool? Note(Uri url, HttpResponseMessage response)
    {
        if (ProtocolHeaders.AnnouncesStartsOnce(response))
        {
            _urls.Remember(KeyOf(url), true, Expiry);
            return true;
        }

        if (!response.IsSuccessStatusCode)
        {
            return null;
        }

        _urls.Forget(KeyOf(url), true);
        return false;
    }

    /// <summary>The origin and path. The query often differs between requests and may contain a secret.</summary>
    private static string KeyOf(Uri url) => url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
}
