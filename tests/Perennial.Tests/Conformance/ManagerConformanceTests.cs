using System.Text.Json;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Conformance;

/// <summary>Every case of conformance/manager.json: sweeping, idle transports, health, handlers that throw, and circuit breakers.</summary>
public class ManagerConformanceTests
{
    private static readonly IReadOnlyDictionary<string, JsonElement> ByName =
        ConformanceFile.Load("manager.json", static json => json.Clone());

    public static TheoryData<string> Cases => [.. ByName.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Manages(string name)
    {
        await using var managed = new ManagedCase(ByName[name]);
        foreach (var step in ByName[name].GetProperty("steps").EnumerateArray())
        {
            await managed.RunAsync(step);
        }
    }
}
