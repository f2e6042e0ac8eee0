namespace Perennial.Testing.Tests;

public sealed class RandomFaultsTests
{
    [Fact]
    public void The_same_seed_brings_the_same_plans_in_any_order()
    {
        var faults = new RandomFaults { Seed = 42, RefuseShare = 0.2, MaxPieceBytes = 100 };
        var again = new RandomFaults { Seed = 42, RefuseShare = 0.2, MaxPieceBytes = 100 };

        var plans = Enumerable.Range(0, 200).Select(faults.PlanFor).ToList();

        Enumerable.Range(0, 200).Reverse().Select(again.PlanFor).Reverse().ShouldBe(plans);
        Enumerable.Range(0, 200).Select(new RandomFaults { Seed = 43 }.PlanFor).ShouldNotBe(plans);
    }

    [Fact]
    public void A_seed_means_the_same_for_ever() =>
        Enumerable.Range(0, 4).Select(index => new RandomFaults { Seed = 1 }.PlanFor(index).ToString()).ShouldBe(
        [
            "downstream: close after 1749 bytes",
            "downstream: reset after 1637 bytes",
            "downstream: close after 1113 bytes",
            "downstream: close after 2881 bytes",
        ]);

    [Fact]
    public void Cuts_fall_all_over_the_range_and_by_all_means()
    {
        var faults = new RandomFaults { Seed = 7, MinBytes = 10, MaxBytes = 19, RefuseShare = 0.25 };

        var plans = Enumerable.Range(0, 4000).Select(index => faults.PlanFor(index).ToString()).ToList();

        plans.Distinct(StringComparer.Ordinal).Count().ShouldBe((10 * 2) + 1);   // ten places, two ways, and refusal
        foreach (var place in Enumerable.Range(10, 10))
        {
            plans.Count(plan => plan.EndsWith($"after {place} bytes", StringComparison.Ordinal)).ShouldBeInRange(220, 380);
        }

        plans.Count(plan => plan is "refuse").ShouldBeInRange(900, 1100);
        plans.Count(plan => plan.Contains("reset", StringComparison.Ordinal)).ShouldBeInRange(1350, 1650);
    }

    [Fact]
    public void Neighboring_seeds_and_connections_have_nothing_in_common()
    {
        var bySeed = Enumerable.Range(0, 1000).Select(seed => new RandomFaults { Seed = seed, MaxBytes = 1_000_000 }.PlanFor(0));
        var byConnection = Enumerable.Range(0, 1000).Select(new RandomFaults { Seed = 0, MaxBytes = 1_000_000 }.PlanFor);

        bySeed.Concat(byConnection).Distinct().Count().ShouldBeGreaterThan(1990);
    }

    [Fact]
    public void Later_connections_can_be_spared()
    {
        var faults = new RandomFaults { Seed = 1, FaultyConnections = 3 };

        Enumerable.Range(0, 6).Select(index => faults.PlanFor(index) == FaultPlan.None).ShouldBe([false, false, false, true, true, true]);
    }

    [Fact]
    public void Settings_out_of_range_are_named()
    {
        (RandomFaults Faults, string Name)[] wrong =
        [
            (new RandomFaults { Seed = 1, MinBytes = -1 }, nameof(RandomFaults.MinBytes)),
            (new RandomFaults { Seed = 1, MinBytes = 5000 }, nameof(RandomFaults.MaxBytes)),
            (new RandomFaults { Seed = 1, MaxBytes = long.MaxValue }, nameof(RandomFaults.MaxBytes)),
            (new RandomFaults { Seed = 1, RefuseShare = 1.1 }, nameof(RandomFaults.RefuseShare)),
            (new RandomFaults { Seed = 1, RefuseShare = double.NaN }, nameof(RandomFaults.RefuseShare)),
            (new RandomFaults { Seed = 1, CutModes = [] }, nameof(RandomFaults.CutModes)),
            (new RandomFaults { Seed = 1, MaxPieceBytes = 0 }, nameof(RandomFaults.MaxPieceBytes)),
        ];
        foreach (var (faults, name) in wrong)
        {
            Should.Throw<InvalidOperationException>(() => faults.PlanFor(0)).Message.ShouldStartWith(name);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task A_client_that_resumes_gets_every_byte_once_through_random_cuts()
    {
        var payload = Wire.RandomBytes(300_000);
        var next = 0;
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await Wire.HearAsync(connection);
            await connection.WriteAsync(payload.AsMemory(next));
        });
        var faults = new RandomFaults { Seed = 3, MinBytes = 1, MaxBytes = 20_000, RefuseShare = 0.1, MaxPieceBytes = 5000 };
        await using var proxy = FaultProxy.Start(server.Address, faults.PlanFor);
        List<byte> received = [];

        while (received.Count < payload.Length)
        {
            next = received.Count;
            received.AddRange((await Wire.AskAsync(proxy.Address)).Received);
        }

        received.ShouldBe(payload);
        proxy.Cuts.ShouldBeInRange(proxy.Connections - 1, proxy.Connections);
    }
}
