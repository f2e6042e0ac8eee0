using System.Net;

namespace Perennial.Http;

/// <summary>Credentials that answer to one origin alone, whatever server asks for them on the way of a redirect.</summary>
internal sealed class OriginCredentials(ICredentials credentials, Uri origin) : ICredentials
{
    public NetworkCredential? GetCredential(Uri uri, string authType) =>
        Redirects.IsSameOrigin(uri, origin) ? credentials.GetCredential(uri, authType) : null;
}
