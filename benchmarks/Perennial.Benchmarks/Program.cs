using System.Globalization;
using Perennial.Benchmarks;

switch (args)
{
    case ["send"]:
        await Sender.RunAsync();
        return 0;
    case ["measure", var reader, var workload, var server]:
        await Measure.RunAsync(reader, workload, server);
        return 0;
    case ["idle", var reader, var count, var server]:
        await Idle.RunAsync(reader, int.Parse(count, CultureInfo.InvariantCulture), server);
        return 0;
    case ["latency", var reader, var path, var server]:
        await Latency.RunAsync(reader, path, server);
        return 0;
    case ["postgres"]:
        return await SharedStore.RunAsync();
    default:
        return await Suite.RunAsync(args);
}
