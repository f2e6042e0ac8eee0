using System.CommandLine;
using Perennial.Cli.Arguments;

namespace Perennial.Cli.Demo;

/// <summary>
/// <c>perennial demo</c>: reads a stream over connections that are cut again and again, and counts lost and repeated tokens.
/// </summary>
internal sealed class DemoCommand : Command
{
    private const int FewestCuts = 20;
    private const int MostCuts = 100;
    private const int DefaultCuts = 24;

    private readonly Option<int?> _seed = OptionKinds.Number(
        "--seed", "N", 0, int.MaxValue, "Cuts at the same bytes as the run that printed this seed. Default: a random number.");

    private readonly Option<int?> _cuts = OptionKinds.Number(
        "--cuts", "N", FewestCuts, MostCuts, $"The number of cuts. Default {DefaultCuts}.");

    public DemoCommand()
        : base("demo", "Streams this project's README over connections that are cut again and again, and counts lost and repeated tokens.")
    {
        Add(_seed);
        Add(_cuts);
        SetAction((parsed, cancellationToken) => DemoRun.RunAsync(
            parsed.GetValue(_seed) ?? Random.Shared.Next(), parsed.GetValue(_cuts) ?? DefaultCuts, cancellationToken));
    }
}
