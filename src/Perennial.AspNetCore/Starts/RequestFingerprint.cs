using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Perennial.AspNetCore.Starts;

/// <summary>Hashes the parts of a request that are equal in a repeat: method, target, content type and body.</summary>
internal static class RequestFingerprint
{
    private const int InMemoryBytes = 64 * 1024;
    private const int BlockBytes = 16 * 1024;

    /// <summary>Reads the body, which the handler can read again from its beginning. Null if it is larger than allowed.</summary>
    public static async Task<string?> ReadAsync(HttpRequest request, long maxBytes)
    {
        if (request.ContentLength > maxBytes)
        {
            return null;
        }

        request.EnableBuffering(InMemoryBytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(
            Encoding.UTF8.GetBytes($"{request.Method} {request.PathBase}{request.Path}{request.QueryString}\n{request.ContentType}\n"));
        var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            var total = 0L;
            for (int read; (read = await request.Body.ReadAsync(block, request.HttpContext.RequestAborted)) > 0;)
            {
                total += read;
                if (total > maxBytes)
                {
                    return null;
                }

                hash.AppendData(block, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block, clearArray: true);
        }

        request.Body.Position = 0;
        return Convert.ToBase64String(hash.GetHashAndReset());
    }
}
