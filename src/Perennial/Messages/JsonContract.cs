using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Perennial;

/// <summary>Gets the contract of a type by reflection, if the caller passes none.</summary>
internal static class JsonContract
{
    /// <summary>The message of the trimming and AOT annotations of public members that use reflection.</summary>
    public const string Reflection = "JSON without a JsonTypeInfo uses reflection. Pass the JsonTypeInfo of a JsonSerializerContext in trimmed and native AOT applications.";

    /// <param name="options">The JSON options. <see langword="null"/> uses <see cref="JsonSerializerOptions.Web"/>.</param>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static JsonTypeInfo<T> Of<T>(JsonSerializerOptions? options)
    {
        options ??= JsonSerializerOptions.Web;
        options.MakeReadOnly(populateMissingResolver: true);
        return (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }
}
