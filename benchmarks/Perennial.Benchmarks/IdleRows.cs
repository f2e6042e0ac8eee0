using System.Globalization;

namespace Perennial.Benchmarks;

/// <summary>What a transport costs that waits.</summary>
internal static class IdleRows
{
    private const int Allowed = 2048;   // beyond the floor

    private static readonly (string Name, string Protocol, string Budget)[] Rows =
    [
        ("HTTP/1.1", Idle.Http1, Budgets.IdleHttp1), ("HTTP/2", Idle.Http2, Budgets.IdleHttp2), ("WebSocket", Idle.WebSocket, Budgets.IdleWebSocket),
    ];

    public static async Task PrintAsync(int count, Budgets? budgets)
    {
        Console.WriteLine("| idle transport, managed bytes | transports | floor | Perennial | beyond the floor |");
        Console.WriteLine("|---|---:|---:|---:|---:|");
        foreach (var (name, protocol, budget) in Rows)
        {
            if (OpenFiles.WhyNot(count) is { } reason)
            {
                Table.Print($"| {name} | {count:N0} | {reason} | | |");
                continue;
            }

            var floor = await AskAsync("floor", protocol, count);
            var ours = await AskAsync("perennial", protocol, count);
            Table.Print($"| {name} | {count:N0} | {floor:N0} | {ours:N0} | {ours - floor:N0} |");
            budgets?.Note(budget, floor, rival: null, ours, floor + Allowed);
        }
    }

    /// <summary>From a sender of its own, whose port no connection has been closed to.</summary>
    private static async Task<double> AskAsync(string reader, string protocol, int count)
    {
        await using var sender = Child.Ourselves(["send"], core: 1);
        var servers = (await sender.AnswerAsync()).Split(' ');
        var server = protocol is Idle.Http2 ? servers[1] : servers[0];
        var answer = await Child.RunAsync(
            ["idle", reader, protocol, count.ToString(CultureInfo.InvariantCulture), server], core: 0, isSteady: false);
        return double.Parse(answer, CultureInfo.InvariantCulture);
    }
}
