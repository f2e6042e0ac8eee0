namespace Perennial.Testing.Tests;

public sealed class FaultPlanTests
{
    [Fact]
    public void Plans_tell_what_they_do()
    {
        FaultPlan.None.ToString().ShouldBe("no fault");
        FaultPlan.Refuse.ToString().ShouldBe("refuse");
        FaultPlan.Cut(After.Seen("\n\n", 3), CutMode.Close).And(FaultPlan.Split(1, 2)).ToString()
            .ShouldBe("downstream: pieces of 1, 2 bytes; close after 3 times '\\n\\n'");
        FaultPlan.Stall(10).OnUpstream().And(FaultPlan.Cut(After.Time(TimeSpan.FromSeconds(2)))).ToString()
            .ShouldBe("downstream: reset after 00:00:02, upstream: stall after 10 bytes for ever");
    }

    [Fact]
    public void Plans_that_do_the_same_are_equal()
    {
        FaultPlan.Cut(After.Seen("x"u8)).And(FaultPlan.Split(1, 2)).ShouldBe(FaultPlan.Split(1, 2).And(FaultPlan.Cut(After.Seen("x"))));
        FaultPlan.Split(1, 2).GetHashCode().ShouldBe(FaultPlan.Split(1, 2).GetHashCode());
        FaultPlan.Split(1, 2).ShouldNotBe(FaultPlan.Split(1, 3));
        FaultPlan.Cut(1).ShouldNotBe(FaultPlan.Cut(1).OnUpstream());
        FaultPlan.Cut(1).OnUpstream().OnUpstream().ShouldBe(FaultPlan.Cut(1));
    }

    [Fact]
    public void A_direction_takes_one_fault_of_each_kind()
    {
        Should.Throw<ArgumentException>(() => FaultPlan.Cut(1).And(FaultPlan.Cut(2)));
        Should.Throw<ArgumentException>(() => FaultPlan.Stall(1).And(FaultPlan.Stall(2)));
        Should.Throw<ArgumentException>(() => FaultPlan.Throttle(1).And(FaultPlan.Split(2)));
        Should.Throw<ArgumentException>(() => FaultPlan.Refuse.And(FaultPlan.Swallow));
        Should.NotThrow(
            () => FaultPlan.Cut(1).And(FaultPlan.Cut(1).OnUpstream()).And(FaultPlan.Stall(1)).And(FaultPlan.Drip(1, TimeSpan.FromSeconds(1))));
    }

    [Fact]
    public void Values_without_a_meaning_are_refused()
    {
        Action[] wrong =
        [
            () => FaultPlan.Cut(-1),
            () => FaultPlan.Cut(1, (CutMode)7),
            () => FaultPlan.Stall(1, TimeSpan.Zero),
            () => FaultPlan.Stall(1, Timeout.InfiniteTimeSpan),
            () => FaultPlan.Throttle(0),
            () => FaultPlan.Drip(0, TimeSpan.FromSeconds(1)),
            () => FaultPlan.Drip(1, TimeSpan.Zero),
            () => FaultPlan.Split(1, 0),
            () => FaultPlan.Split(),
            () => FaultPlan.InOrder(),
            () => After.Seen(""),
            () => After.Seen("x", 0),
            () => After.Time(TimeSpan.FromSeconds(-1)),
            () => FaultPlan.Cut(null!),
        ];
        foreach (var action in wrong)
        {
            Should.Throw<ArgumentException>(action);
        }
    }
}
