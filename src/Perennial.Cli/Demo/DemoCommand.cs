using System.CommandLine;
using Perennial.Cli.Arguments;

namespace Perennial.Cli.Demo;

/// <summary><c>perennial demo</c>: reads a stream over a line that keeps being cut, and counts what was lost and repeated.</summary>
internal sealed class DemoCommand : Command
{
    private const int FewestCuts = 20;
    private const int MostCuts = 100;
    private const int DefaultCuts = 24;

    private readonly Option<int?> _seed = OptionKinds.Number("--seed", "N", 0, int.MaxValue, "Cuts at the same bytes as the run that printed this seed. Default: another one each time.");

    private readonly Option<int?> _cuts = OptionKinds.Number("--cuts", "N", FewestCuts, MostCuts, $"How often the line is cut. Default {DefaultCuts}.");

    public DemoCommand()
        : base("demo", "Streams this project's README over a line that keeps being cut, and counts what was lost and repeated.")
    {
        Add(_seed);
        Add(_cuts);
        SetAction((parsed, cancellationToken) => DemoRun.RunAsync(
            parsed.GetValue(_seed) ?? Random.Shared.Next(), parsed.GetValue(_cuts) ?? DefaultCuts, cancellationToken));
    }
}
