using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Perennial.Cli.Demo;

/// <summary>Shows a table that is updated in place on a terminal: each lane's state and counts, and the end of its text.</summary>
internal sealed class LiveView : IDemoView
{
    private const int TailLength = 300;

    /// <summary>
    /// Room for the end of the text on a terminal of 80 columns, and the border. Fixed, so that the table keeps its size.
    /// </summary>
    private const int PanelHeight = 7;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    public Task ShowAsync(IReadOnlyList<DemoLane> lanes, Task reading) => AnsiConsole.Live(Picture(lanes)).StartAsync(async display =>
    {
        while (!reading.IsCompleted)
        {
            await reading.WaitAsync(Interval, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            display.UpdateTarget(Picture(lanes));
        }
    });

    private static Rows Picture(IReadOnlyList<DemoLane> lanes)
    {
        var table = new Table().RoundedBorder().AddColumns("transport", "state", "tokens", "cuts survived", "buffer", "latency p50");
        foreach (var lane in lanes)
        {
            table.AddRow(Row(lane));
        }

        return new Rows([table, .. lanes.Select(Tail)]);
    }

    private static Panel Tail(DemoLane lane) =>
        new Panel(new Text(lane.Tally.Tail(TailLength).ReplaceLineEndings(" "))) { Height = PanelHeight }.Header(lane.Name)
            .RoundedBorder()
            .Expand();

    private static IRenderable[] Row(DemoLane lane)
    {
        var metrics = lane.Transport.GetMetrics();
        return
        [
            new Text(lane.Name),
            new Text(metrics.State.ToString(), ColorOf(metrics.State)),
            Cell($"{lane.Tokens:N0} / {lane.TokensSent:N0}"),
            Cell($"{lane.Cuts}"),
            Cell($"{metrics.BufferSize}"),
            Cell($"{metrics.LatencyP50.TotalMilliseconds:0.00} ms"),
        ];
    }

    private static Text Cell(FormattableString text) => new Text(text.ToString(CultureInfo.InvariantCulture)).RightJustified();

    private static Style ColorOf(TransportState state) => state switch
    {
        TransportState.Connected => Color.Green,
        TransportState.Failed => Color.Red,
        TransportState.Closed => Color.Grey,
        _ => Color.Yellow,
    };
}
