using System.Net;

namespace Perennial.Http;

/// <summary>Credentials that are sent to one origin only, even if another server requests them after a redirect.</summary>
internal sealed class OriginCredentials(ICredentials credentials, Uri origin) : ICredentials
{
    public NetworkCredential? GetCredential(Uri uri, string authType) =>
        Redirects.IsSameOrigin(uri, origin) ? credentials.GetCredential(uri, authType) : null;
}
