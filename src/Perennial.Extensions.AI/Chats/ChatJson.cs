using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace Perennial.Chats;

/// <summary>
/// The JSON of chats, which client and server share: the platform's own form of messages, options and updates, on one line. Thread safe.
/// </summary>
internal static class ChatJson
{
    /// <summary>The member of a request that holds the messages.</summary>
    public const string Messages = "messages";

    /// <summary>The member of a request that holds the options.</summary>
    public const string Options = "options";

    /// <summary>The member of a request that holds the declarations of tools.</summary>
    public const string Tools = "tools";

    /// <summary>Gets the platform's options with values on one line, because an event with twenty lines is twice as large.</summary>
    public static JsonSerializerOptions Default { get; } = OnOneLine(AIJsonUtilities.DefaultOptions);

    /// <summary>Returns the options with values on one line.</summary>
    public static JsonSerializerOptions OnOneLine(JsonSerializerOptions options)
    {
        if (options is { WriteIndented: false, IsReadOnly: true })
        {
            return options;
        }

        var compact = new JsonSerializerOptions(options) { WriteIndented = false };
        compact.MakeReadOnly();
        return compact;
    }

    /// <summary>Gets the contract of a type.</summary>
    /// <exception cref="NotSupportedException">The options have no contract for the type.</exception>
    public static JsonTypeInfo<T> Of<T>(JsonSerializerOptions options) => (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
}
