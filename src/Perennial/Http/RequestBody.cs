using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Perennial.Http;

/// <summary>The body of a request, kept in memory so that a request which may be repeated can be.</summary>
/// <param name="Content">The bytes. They must not change.</param>
/// <param name="MediaType">The <c>Content-Type</c>, such as <c>application/json</c>.</param>
public sealed record RequestBody(ReadOnlyMemory<byte> Content, string MediaType)
{
    /// <summary>A value as JSON, with the media type <c>application/json</c>.</summary>
    /// <typeparam name="T">What is sent.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    public static RequestBody Json<T>(T value, JsonTypeInfo<T> typeInfo) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, typeInfo), "application/json");

    /// <summary>A value as JSON, by reflection, with the media type <c>application/json</c>.</summary>
    /// <typeparam name="T">What is sent.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="options">How JSON is written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static RequestBody Json<T>(T value, JsonSerializerOptions? options = null) => Json(value, JsonContract.Of<T>(options));

    /// <summary>Text as UTF-8.</summary>
    /// <param name="text">The text.</param>
    /// <param name="mediaType">The <c>Content-Type</c>. Default <c>text/plain; charset=utf-8</c>.</param>
    public static RequestBody Text(string text, string mediaType = "text/plain; charset=utf-8") => new(Encoding.UTF8.GetBytes(text), mediaType);

    internal HttpContent ToContent()
    {
        var content = new ReadOnlyMemoryContent(Content);
        content.Headers.TryAddWithoutValidation("Content-Type", MediaType);
        return content;
    }
}
