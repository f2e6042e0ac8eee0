using Perennial.Cli.Demo;

namespace Perennial.Cli.Tests;

/// <summary>The demo's judge: it must be able to find a reader guilty.</summary>
public class DemoTallyTests
{
    private static readonly string[] Sent = ["a ", "b ", "c"];

    [Fact]
    public void Finds_nothing_wrong_with_each_token_once_and_in_order()
    {
        var tally = Received((1, "a "), (2, "b "), (3, "c"), (4, null));

        (tally.Lost, tally.Repeated, tally.IsWhole).ShouldBe((0, 0, true));
    }

    [Fact]
    public void Counts_what_never_came()
    {
        var tally = Received((1, "a "), (4, null));

        (tally.Lost, tally.Repeated, tally.IsWhole).ShouldBe((2, 0, false));
    }

    [Fact]
    public void Counts_every_repetition()
    {
        var tally = Received((1, "a "), (2, "b "), (2, "b "), (2, "b "), (3, "c"), (4, null));

        (tally.Lost, tally.Repeated, tally.IsWhole).ShouldBe((0, 2, false));
    }

    [Fact]
    public void Notices_a_wrong_order()
    {
        var tally = Received((2, "b "), (1, "a "), (3, "c"), (4, null));

        (tally.Lost, tally.Repeated, tally.IsWhole).ShouldBe((0, 0, false));
    }

    [Fact]
    public void Notices_a_changed_text()
    {
        var tally = Received((1, "a "), (2, "x "), (3, "c"), (4, null));

        (tally.Lost, tally.Repeated, tally.IsWhole).ShouldBe((0, 0, false));
    }

    [Fact]
    public void Notices_that_the_last_chunk_is_missing()
    {
        var tally = Received((1, "a "), (2, "b "), (3, "c"));

        (tally.Lost, tally.Repeated, tally.IsWhole).ShouldBe((1, 0, false));
    }

    [Fact]
    public void Takes_a_number_that_was_never_sent_for_a_repetition()
    {
        var tally = Received((1, "a "), (2, "b "), (3, "c"), (4, null), (5, null));

        (tally.Lost, tally.Repeated, tally.IsWhole).ShouldBe((0, 1, false));
    }

    private static Tally Received(params (int Sequence, string? Content)[] chunks)
    {
        var tally = new Tally(Sent);
        foreach (var (sequence, content) in chunks)
        {
            tally.Add(sequence, content);
        }

        return tally;
    }
}
