using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Perennial.Http;

/// <summary>The body of a request, kept in memory so that the request can be repeated. Immutable.</summary>
public sealed record RequestBody
{
    /// <summary>Gets the bytes. The caller must not change them.</summary>
    public required ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>Gets the <c>Content-Type</c>, such as <c>application/json</c>.</summary>
    public required string MediaType { get; init; }

    /// <summary>Creates a body from a value as JSON, with the media type <c>application/json</c>.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="typeInfo">The source-generated contract of <typeparamref name="T"/>.</param>
    public static RequestBody Json<T>(T value, JsonTypeInfo<T> typeInfo) =>
        new RequestBody { Content = JsonSerializer.SerializeToUtf8Bytes(value, typeInfo), MediaType = "application/json" };

    /// <summary>Creates a body from a value as JSON, by reflection, with the media type <c>application/json</c>.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="options">The JSON options. <see langword="null"/> uses <see cref="JsonSerializerOptions.Web"/>.</param>
    [RequiresUnreferencedCode(JsonContract.Reflection)]
    [RequiresDynamicCode(JsonContract.Reflection)]
    public static RequestBody Json<T>(T value, JsonSerializerOptions? options = null) => Json(value, JsonContract.Of<T>(options));

    /// <summary>Creates a body from text, encoded as UTF-8.</summary>
    /// <param name="text">The text.</param>
    /// <param name="mediaType">The <c>Content-Type</c>. Default <c>text/plain; charset=utf-8</c>.</param>
    public static RequestBody Text(string text, string mediaType = "text/plain; charset=utf-8") => new RequestBody
    {
        Content = Encoding.UTF8.GetBytes(text),
        MediaType = mediaType,
    };

    internal HttpContent ToContent()
    {
        var content = new ReadOnlyMemoryContent(Content);
        content.Headers.TryAddWithoutValidation("Content-Type", MediaType);
        return content;
    }
}
