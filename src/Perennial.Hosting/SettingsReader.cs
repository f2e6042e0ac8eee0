using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Perennial.Hosting;

/// <summary>
/// Reads options from a configuration, one setting after the other. A setting that is unknown or cannot be read is added to the problems,
/// with what is accepted, and reading continues. Messages never repeat a value, since it may be a secret.
/// </summary>
[RequiresUnreferencedCode("Settings are matched to properties by name.")]
[RequiresDynamicCode("Settings are matched to properties by name.")]
internal sealed class SettingsReader(List<string> problems)
{
    /// <summary>Reads all settings of a section into a record that no other code uses yet.</summary>
    /// <param name="record">The record. Settings that the section does not hold keep their values.</param>
    /// <param name="section">The section.</param>
    /// <param name="path">The section's name in messages.</param>
    /// <param name="except">Settings that other code reads.</param>
    public T Read<T>(T record, IConfiguration section, string path, params string[] except)
        where T : notnull
    {
        var properties = record.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(IsSetting).ToList();
        foreach (var setting in section.GetChildren().Where(setting => !except.Contains(setting.Key, StringComparer.OrdinalIgnoreCase)))
        {
            var here = $"{path}:{setting.Key}";
            if (properties.Find(property => string.Equals(property.Name, setting.Key, StringComparison.OrdinalIgnoreCase)) is not { } property)
            {
                problems.Add(
                    $"{here}: unknown setting; accepted are {string.Join(", ", properties.Select(static known => known.Name).Concat(except).Order(StringComparer.Ordinal))}.");
            }
            else if (property.CanWrite && IsNull(setting, property.PropertyType))
            {
                SetNull(record, property, here);
            }
            else if (!property.CanWrite)
            {
                Fill(property.GetValue(record)!, setting, here);
            }
            else if (ValueOf(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, setting, here) is { } value)
            {
                property.SetValue(record, value);
            }
        }

        return record;
    }

    /// <summary>
    /// Whether the setting is a JSON null. An empty collection looks the same in a configuration, and is read as an empty collection.
    /// </summary>
    private static bool IsNull(IConfigurationSection setting, Type type) =>
        setting.Value is null && !setting.GetChildren().Any() && !(type.IsInterface && type.IsGenericType);

    /// <summary>
    /// Sets a property that may be <see langword="null"/>, such as a circuit breaker, to null. Reports any other property.
    /// </summary>
    private void SetNull(object record, PropertyInfo property, string path)
    {
        if (new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable)
        {
            property.SetValue(record, null);
        }
        else
        {
            problems.Add($"{path} must not be null or empty; remove the setting to use the default.");
        }
    }

    /// <summary>Whether the property can be set, or holds an object or a list whose content can be set.</summary>
    private static bool IsSetting(PropertyInfo property) =>
        property.CanWrite
            || property.PropertyType == typeof(IList<string>)
            || (property.PropertyType.IsClass && property.PropertyType != typeof(string));

    private void Fill(object target, IConfigurationSection setting, string path)
    {
        if (target is not IList<string> list)
        {
            Read(target, setting, path);
            return;
        }

        foreach (var entry in setting.GetChildren())
        {
            list.Add(entry.Value ?? "");
        }
    }

    /// <summary>Converts the value. If it does not fit the type, reports a problem and returns <see langword="null"/>.</summary>
    private object? ValueOf(Type type, IConfigurationSection setting, string path)
    {
        if (setting.Value is null && type.IsClass && type.GetConstructor(Type.EmptyTypes) is not null)
        {
            return Read(Activator.CreateInstance(type)!, setting, path);
        }

        if (type == typeof(IReadOnlyDictionary<string, string>))
        {
            return setting.GetChildren().ToDictionary(
                static entry => entry.Key, static entry => entry.Value ?? "", StringComparer.OrdinalIgnoreCase);
        }

        if (type == typeof(IReadOnlyList<string>))
        {
            return setting.GetChildren().Select(static entry => entry.Value ?? "").ToList();
        }

        if (type == typeof(IReadOnlySet<HttpStatusCode>))
        {
            return setting.GetChildren()
                .Select(entry => Parse(typeof(HttpStatusCode), entry.Value ?? "", path))
                .OfType<HttpStatusCode>()
                .ToHashSet();
        }

        return Parse(type, setting.Value ?? "", path);
    }

    private object? Parse(Type type, string text, string path)
    {
        var (value, expected) = type switch
        {
            _ when type == typeof(string) => ((object?)text, ""),
            _ when type == typeof(bool) => (bool.TryParse(text, out var parsed) ? parsed : null, "true or false"),
            _ when type == typeof(int) =>
                (int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var parsed) ? parsed : null, "a whole number"),
            _ when type == typeof(long) =>
                (long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var parsed) ? parsed : null, "a whole number"),
            _ when type == typeof(double) =>
                (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : null, "a number"),
            _ when type == typeof(TimeSpan) => (Duration(text), "a duration such as 00:00:30, or infinite"),
            _ when type == typeof(Uri) => (Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out var parsed) ? parsed : null, "a URL"),
            _ when type == typeof(Version) => (Version.TryParse(text, out var parsed) ? parsed : null, "a version such as 2.0"),
            _ when type == typeof(HttpMethod) => (Method(text), "a method such as POST"),
            { IsEnum: true } =>
                (Enum.TryParse(type, text, ignoreCase: true, out var parsed) && Enum.IsDefined(type, parsed) ? parsed : null, $"one of {string.Join(", ", Enum.GetNames(type))}"),
            _ => (null, ""),
        };
        if (value is null)
        {
            problems.Add(
                expected.Length > 0 ? $"{path} must be {expected}." : $"{path} cannot be set in the configuration; set it in code.");
        }

        return value;
    }

    private static TimeSpan? Duration(string text) =>
        string.Equals(text, "infinite", StringComparison.OrdinalIgnoreCase) ? Timeout.InfiniteTimeSpan
        : TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var parsed) ? parsed
        : null;

    private static HttpMethod? Method(string text) => text.Length > 0 && text.All(char.IsAsciiLetter) ? HttpMethod.Parse(text) : null;
}
