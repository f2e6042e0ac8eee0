using Perennial.Benchmarks;

switch (args)
{
    case ["send"]:
        await Sender.RunAsync();
        return 0;
    case ["measure", var reader, var workload, var server]:
        await Measure.RunAsync(reader, workload, server);
        return 0;
    default:
        return await Suite.RunAsync(args);
}
