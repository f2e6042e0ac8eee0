using System.Text;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>The body of a response as a plain HttpClient reads it.</summary>
/// <param name="Text">Its bytes, up to its end or to where it broke off.</param>
/// <param name="IsWhole">Whether it ended normally.</param>
internal readonly record struct RawBody(string Text, bool IsWhole)
{
    public static async Task<RawBody> ReadAsync(HttpResponseMessage response)
    {
        using var bytes = new MemoryStream();
        try
        {
            await response.Content.CopyToAsync(bytes, TestContext.Current.CancellationToken);
            return new(Encoding.UTF8.GetString(bytes.ToArray()), IsWhole: true);
        }
        catch (HttpRequestException)
        {
            return new(Encoding.UTF8.GetString(bytes.ToArray()), IsWhole: false);
        }
    }
}
