using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Perennial.Engine;

namespace Perennial.Tests.Reconnecting;

/// <summary>Whether and when to try again: the decision alone, without time passing.</summary>
public class ReconnectPolicyTests
{
    private static readonly TransportException Lost = new(TransportErrorCode.ConnectionLost, "Lost.", isTransient: true);

    [Fact]
    public void Waits_grow_by_the_multiplier_up_to_the_cap()
    {
        var policy = Policy(new ReconnectOptions { Jitter = false, MaxAttempts = 8 });

        var waits = Enumerable.Range(0, 8).Select(_ => policy.AfterFailure(Lost).Delay?.TotalSeconds);

        waits.ShouldBe([1, 2, 4, 8, 16, 30, 30, 30]);
    }

    [Fact]
    public void Every_wait_is_between_half_of_what_it_would_be_without_jitter_and_all_of_it() =>
        Check.One(Config.QuickThrowOnFailure.WithQuietOnSuccess(true), Prop.ForAll(Settings().ToArbitrary(), setting =>
        {
            var (options, attempt, seed) = setting;
            var full = new ReconnectPolicy(options with { Jitter = false }, new Random(seed)).DelayFor(attempt);
            var wait = new ReconnectPolicy(options, new Random(seed)).DelayFor(attempt);
            return wait >= full / 2 - TimeSpan.FromTicks(1) && wait <= full && wait <= options.MaxDelay && full <= options.MaxDelay;
        }));

    [Fact]
    public void Waits_never_shrink_without_jitter() =>
        Check.One(Config.QuickThrowOnFailure.WithQuietOnSuccess(true), Prop.ForAll(Settings().ToArbitrary(), setting =>
        {
            var (options, attempt, seed) = setting;
            var policy = new ReconnectPolicy(options with { Jitter = false }, new Random(seed));
            return policy.DelayFor(attempt + 1) >= policy.DelayFor(attempt);
        }));

    [Fact]
    public void Jitter_spreads_over_the_whole_upper_half()
    {
        var policy = new ReconnectPolicy(new ReconnectOptions { InitialDelay = TimeSpan.FromSeconds(10) }, new Random(1));

        var waits = Enumerable.Range(0, 1000).Select(_ => policy.DelayFor(1).TotalSeconds).ToList();

        waits.Min().ShouldBeInRange(5, 5.1);
        waits.Max().ShouldBeInRange(9.9, 10);
    }

    [Theory]
    [InlineData(3_000, 3_000)]
    [InlineData(250, 250)]
    [InlineData(0, 250)]
    [InlineData(int.MaxValue, 30_000)]
    public void A_delay_from_the_server_takes_the_place_of_the_first_and_stays_below_the_cap(int fromServer, int expected)
    {
        var policy = Policy(new ReconnectOptions { Jitter = false });

        policy.UseServerDelay(TimeSpan.FromMilliseconds(fromServer));

        policy.AfterFailure(Lost).Delay.ShouldBe(TimeSpan.FromMilliseconds(expected));
        policy.AfterFailure(Lost).Delay.ShouldBe(TimeSpan.FromMilliseconds(Math.Min(expected * 2, 30_000)));
    }

    [Fact]
    public void The_floor_under_a_delay_from_the_server_is_the_callers_own_delay_where_that_is_lower()
    {
        var policy = Policy(new ReconnectOptions { InitialDelay = TimeSpan.FromMilliseconds(10), Jitter = false });

        policy.UseServerDelay(TimeSpan.Zero);

        policy.AfterFailure(Lost).Delay.ShouldBe(TimeSpan.FromMilliseconds(10));
    }

    [Theory]
    [InlineData(20, 20)]
    [InlineData(0, 1)]
    [InlineData(3600, 3600)]
    public void Retry_after_is_a_floor_even_above_the_cap(int retryAfter, int expected)
    {
        var (delay, _) = Policy(new ReconnectOptions { Jitter = false }).AfterFailure(Busy(TimeSpan.FromSeconds(retryAfter)));

        delay.ShouldBe(TimeSpan.FromSeconds(expected));
    }

    [Fact]
    public void A_retry_after_beyond_the_longest_that_is_obeyed_ends_it()
    {
        var (delay, error) = Policy(new ReconnectOptions()).AfterFailure(Busy(TimeSpan.FromSeconds(3601)));

        delay.ShouldBeNull();
        (error.Code, error.IsTransient, error.RetryAfter).ShouldBe(
            (TransportErrorCode.RetryAfterTooLong, false, TimeSpan.FromSeconds(3601)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    public void Gives_up_when_the_attempts_are_spent(int maxAttempts)
    {
        var policy = Policy(new ReconnectOptions { MaxAttempts = maxAttempts });
        for (var i = 0; i < maxAttempts; i++)
        {
            policy.AfterFailure(Lost).Delay.ShouldNotBeNull();
        }

        var (delay, error) = policy.AfterFailure(Lost);

        delay.ShouldBeNull();
        (error.Code, error.InnerException).ShouldBe((TransportErrorCode.AttemptsExhausted, Lost));
    }

    [Fact]
    public void Progress_clears_the_count_but_not_what_the_server_asked_for()
    {
        var policy = Policy(new ReconnectOptions { Jitter = false, MaxAttempts = 1 });
        policy.UseServerDelay(TimeSpan.FromSeconds(7));
        policy.AfterFailure(Lost);

        policy.Clear();

        policy.AfterFailure(Lost).Delay.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public void Never_gives_up_where_attempts_are_unlimited()
    {
        var policy =
            Policy(new ReconnectOptions { MaxAttempts = ReconnectOptions.Unlimited, InitialDelay = TimeSpan.Zero, Jitter = false });

        for (var i = 0; i < 5000; i++)
        {
            policy.AfterFailure(Lost).Delay.ShouldBe(TimeSpan.Zero);
        }
    }

    private static ReconnectPolicy Policy(ReconnectOptions options) => new(options, new Random(1));

    private static TransportException Busy(TimeSpan retryAfter) =>
        new(
            TransportErrorCode.HttpStatus,
            "Busy.",
            isTransient: true) { HttpStatus = HttpStatusCode.ServiceUnavailable, RetryAfter = retryAfter };

    private static Gen<(ReconnectOptions Options, int Attempt, int Seed)> Settings() =>
        from initial in Gen.Choose(0, 3_600_000)
        from most in Gen.Choose(0, 86_400_000)
        from multiplier in Gen.Choose(100, 10_000)
        from attempt in Gen.Choose(1, 1000)
        from seed in Gen.Choose(0, int.MaxValue)
        select (
            new ReconnectOptions
            {
                InitialDelay = TimeSpan.FromMilliseconds(initial),
                MaxDelay = TimeSpan.FromMilliseconds(most),
                Multiplier = multiplier / 100.0,
            },
            attempt,
            seed);
}
