using System.Globalization;
using Perennial.Benchmarks;
using Perennial.Benchmarks.Server;

switch (args)
{
    case ["send"]:
        await Sender.RunAsync();
        return 0;
    case ["measure", var reader, var workload, var server]:
        await Measure.RunAsync(reader, workload, server);
        return 0;
    case ["idle", var reader, var protocol, var count, var server]:
        await Idle.RunAsync(reader, protocol, int.Parse(count, CultureInfo.InvariantCulture), server);
        return 0;
    case ["latency", var reader, var path, var server]:
        await Latency.RunAsync(reader, path, server);
        return 0;
    case ["serve", var name, .. var settings]:
        await Serving.RunAsync(name, settings);
        return 0;
    case ["receive"]:
        await ReceivingServer.RunAsync();
        return 0;
    case ["sends", var sender, var run]:
        await Sends.RunAsync(sender, new Uri(run));
        return 0;
    case ["between", var name, var upstream]:
        await Between.RunAsync(name, upstream);
        return 0;
    case ["count"]:
        Counting.Run();
        return 0;
    case ["transports", var count, var uri, var control]:
        await Transports.RunAsync(
            int.Parse(count, CultureInfo.InvariantCulture), new Uri(uri), int.Parse(control, CultureInfo.InvariantCulture));
        return 0;
    default:
        return await Suite.RunAsync(args);
}
