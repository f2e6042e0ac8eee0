using System.Text;
using System.Text.Json;
using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>The metadata of a run as one JSON object, as stores keep it.</summary>
internal static class MetadataText
{
    /// <summary>Returns the text; null if there is no metadata.</summary>
    public static string? Of(RunDescription run)
    {
        if (run.Metadata.Count == 0)
        {
            return null;
        }

        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            foreach (var (name, value) in run.Metadata)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    /// <summary>Returns the description with a text.</summary>
    public static RunDescription Read(string? owner, string? key, string? text, string? resumeWith)
    {
        if (owner is null && key is null && text is null && resumeWith is null)
        {
            return RunDescription.None;
        }

        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (text is not null)
        {
            using var json = JsonDocument.Parse(text);
            foreach (var entry in json.RootElement.EnumerateObject())
            {
                metadata[entry.Name] = entry.Value.GetString()!;
            }
        }

        return new RunDescription { Owner = owner, Key = key, Metadata = metadata, ResumeWith = resumeWith };
    }
}
