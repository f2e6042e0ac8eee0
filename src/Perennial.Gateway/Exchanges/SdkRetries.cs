using Microsoft.AspNetCore.Http;

namespace Perennial.Gateway.Exchanges;

/// <summary>
/// Recognizes the retries that the clients of OpenAI and Anthropic make by themselves after a lost connection. Such a retry gets the key
/// of the request before it, so that it joins that request's answer. Thread safe.
/// </summary>
/// <remarks>
/// Only a request whose client has gone can be joined, and only by a retry: an equal request of a second client is another prompt. Entries
/// are removed when a response is complete or is joined.
/// </remarks>
internal sealed class SdkRetries
{
    private const string Count = "x-stainless-retry-count";
    private const int MostWaiting = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _waiting = new(StringComparer.Ordinal);     // keys of requests whose clients have gone
    private readonly Queue<string> _byAge = new();

    /// <summary>Whether the client may repeat the request by itself.</summary>
    public static bool Concerns(HttpRequest request) => HttpMethods.IsPost(request.Method) && request.Headers.ContainsKey(Count)
        && request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Returns the key of a request: that of the lost request that it retries, or a new one.</summary>
    /// <param name="request">The request.</param>
    /// <param name="identity">Equal for equal requests of equal clients.</param>
    public string KeyOf(HttpRequest request, string identity)
    {
        lock (_gate)
        {
            return request.Headers[Count].ToString() is not ("0" or "") && _waiting.Remove(identity, out var key)
                ? key
                : Guid.NewGuid().ToString("N");
        }
    }

    /// <summary>Remembers a request whose client has gone.</summary>
    public void Lost(string identity, string key)
    {
        lock (_gate)
        {
            if (_waiting.TryAdd(identity, key))
            {
                _byAge.Enqueue(identity);
            }

            _waiting[identity] = key;
            while (_byAge.Count > MostWaiting)
            {
                _waiting.Remove(_byAge.Dequeue());
            }
        }
    }
}
