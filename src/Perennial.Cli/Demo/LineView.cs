using System.Globalization;

namespace Perennial.Cli.Demo;

/// <summary>Prints a line for each lane once a second, for output that is not a terminal.</summary>
internal sealed class LineView : IDemoView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public async Task ShowAsync(IReadOnlyList<DemoLane> lanes, Task reading)
    {
        while (!reading.IsCompleted)
        {
            foreach (var lane in lanes)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{lane.Name}: {lane.Transport.State}, {lane.Tokens:N0} of {lane.TokensSent:N0} tokens, {lane.Cuts} cuts"));
            }

            await reading.WaitAsync(Interval, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
