using System.Globalization;
using System.Text.RegularExpressions;

namespace Perennial.Cli.Tests;

/// <summary><c>perennial demo</c>: what it promises on its last lines.</summary>
public partial class DemoTests
{
    private static readonly string[] Lanes = ["websocket", "sse", "http-stream", "long-poll", "sse-post"];

    [Fact(Timeout = Cli.Hang)]
    public async Task Survives_its_cuts_without_losing_or_repeating_a_token()
    {
        var run = await Cli.RunAsync("demo", "--seed", "42", "--cuts", "21");

        var verdicts = run.Lines.TakeLast(Lanes.Length).Select(line => Verdict().Match(line)).ToArray();
        verdicts.ShouldAllBe(verdict => verdict.Success, run.Output + run.Error);
        verdicts.Select(verdict => verdict.Groups["lane"].Value).ShouldBe(Lanes);
        verdicts.ShouldAllBe(verdict => int.Parse(verdict.Groups["cuts"].Value, CultureInfo.InvariantCulture) >= LeastCuts(verdict, 21));
        verdicts[^1].Groups["productions"].Value.ShouldBe("1");
        run.Lines[0].ShouldContain("seed 42");
        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(0);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Ends_at_once_when_interrupted()
    {
        await using var cli = Cli.Start("demo");
        await cli.ReadUntilAsync("tokens");
        await cli.SignalAsync("INT");

        var run = await cli.EndAsync();

        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(130);
        run.Lines.ShouldAllBe(line => !Verdict().IsMatch(line));
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("--cuts", "19")]
    [InlineData("--seed", "x")]
    [InlineData("extra", "words")]
    public async Task Refuses_what_it_does_not_know(params string[] arguments)
    {
        var run = await Cli.RunAsync(["demo", .. arguments]);

        run.ErrorLines.Length.ShouldBe(1, run.Error);
        run.ExitCode.ShouldBe(2);
    }

    /// <summary>A poller does not notice a cut between two of its polls.</summary>
    private static int LeastCuts(Match verdict, int cuts) => verdict.Groups["lane"].Value is "long-poll" ? 1 : cuts;

    [GeneratedRegex(
        @"^(?<lane>[a-z-]+): (?<cuts>\d+) cuts, 0 lost, 0 repeated \([\d,]+ tokens\)(, (?<productions>\d+) productions?)?$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Verdict();
}
