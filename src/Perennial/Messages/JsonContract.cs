using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Perennial;

/// <summary>The contract of a type where the caller brings none: found by reflection.</summary>
internal static class JsonContract
{
    /// <summary>What the annotations of every public member that uses this say.</summary>
    public const string Reflection = "JSON without a JsonTypeInfo uses reflection. Pass the JsonTypeInfo of a JsonSerializerContext in trimmed and native AOT applications.";

    /// <param name="options">How values are written and read; <see langword="null"/> for <see cref="JsonSerializerOptions.Web"/>.</param>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static JsonTypeInfo<T> Of<T>(JsonSerializerOptions? options)
    {
        options ??= JsonSerializerOptions.Web;
        options.MakeReadOnly(populateMissingResolver: true);
        return (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }
}
