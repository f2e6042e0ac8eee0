namespace Perennial.Http;

/// <summary>
/// The URLs whose server has announced that a request with the same <c>Idempotency-Key</c> starts a stream once
/// (<c>Perennial-Starts: once</c>). Bounded: 1,000 URLs, an hour each. Thread safe.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class StartsOnceMemory(TimeProvider time)
{
    private const int Capacity = 1000;
    private static readonly TimeSpan Expiry = TimeSpan.FromHours(1);

    private readonly ExpiringMap<bool> _urls = new(Capacity, time);

    /// <summary>The one of the process.</summary>
    public static StartsOnceMemory Shared { get; } = new(TimeProvider.System);

    public bool Contains(Uri url) => _urls.Find(KeyOf(url), Expiry) is not null;

    /// <summary>Notes what an answer from this URL says. A success without the announcement takes an earlier one back; an error may come from a proxy.</summary>
    /// <returns>Whether the URL starts a stream once; <see langword="null"/> where the answer does not tell.</returns>
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

    /// <summary>Origin and path: a query often differs from request to request, and may hold a secret.</summary>
    private static string KeyOf(Uri url) => url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
}
