using ArchUnitNET.Domain;
using ArchUnitNET.Domain.Extensions;
using ArchUnitNET.Loader;
using Assembly = System.Reflection.Assembly;

namespace Perennial.Architecture.Tests;

/// <summary>Checks that the folders of a project are layers, and that no type depends on a folder above its own.</summary>
internal static class Layers
{
    /// <summary>Fails with every dependency that points the wrong way, and with every folder that has no layer.</summary>
    /// <param name="assembly">The compiled project.</param>
    /// <param name="layers">
    /// The folders, the lowest first, as in <c>Stores &lt;- Runs &lt;- Http | WebSockets</c>. A type may depend on its own folder and on
    /// those before <c>&lt;-</c>. Folders with <c>|</c> between them do not depend on each other. The project's own folder is <c>.</c>
    /// </param>
    public static void ShouldPointOneWay(Assembly assembly, string layers)
    {
        var folders = SourceFolders.Of(assembly.GetName().Name!);
        var ranks =
            layers.Split("<-").SelectMany(static (layer, rank) => layer.Split('|').Select(folder => (Folder: folder.Trim(), Rank: rank)))
            .ToDictionary(static pair => pair.Folder, static pair => pair.Rank, StringComparer.Ordinal);
        ranks.Keys.ShouldBe(folders.All, ignoreOrder: true, "the folders that have a layer, and those that declare types");

        var types = new ArchLoader().LoadAssembly(assembly).Build().Types;
        var turned = types.SelectMany(type => TurnedArrows(type, folders, ranks))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        turned.ShouldBeEmpty("dependencies on a folder that is not below");
    }

    private static IEnumerable<string> TurnedArrows(IType type, SourceFolders folders, Dictionary<string, int> ranks)
    {
        if (folders.Of(type.FullName) is not { } from)
        {
            yield break;
        }

        foreach (var target in type.GetTypeDependencies())
        {
            if (folders.Of(target.FullName) is { } to && !string.Equals(from, to, StringComparison.Ordinal) && ranks[to] >= ranks[from])
            {
                yield return $"{from} -> {to}: {type.Name} uses {target.Name}";
            }
        }
    }
}
