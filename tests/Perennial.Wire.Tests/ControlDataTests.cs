using System.Text;

namespace Perennial.Wire.Tests;

public class ControlDataTests
{
    [Fact]
    public void A_delay_is_read_as_it_was_written()
    {
        var json = ControlData.Retry(TimeSpan.FromMilliseconds(1500));

        Encoding.UTF8.GetString(json).ShouldBe("""{"delay":1500}""");
        ControlData.ReadRetry(json).ShouldBe(TimeSpan.FromMilliseconds(1500));
    }

    [Theory]
    [InlineData("""{"x":{"delay":1},"delay":2.5}""", 2.5)]
    [InlineData("""{"delay":1e300}""", int.MaxValue)]
    public void A_delay_stands_among_other_members_and_has_a_limit(string json, double milliseconds) =>
        ControlData.ReadRetry(Encoding.UTF8.GetBytes(json)).ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Theory]
    [InlineData("")]
    [InlineData("3")]
    [InlineData("{}")]
    [InlineData("""{"delay":-1}""")]
    [InlineData("""{"delay":"1"}""")]
    [InlineData("""{"delay":""")]
    public void What_says_no_delay_has_none(string json) => ControlData.ReadRetry(Encoding.UTF8.GetBytes(json)).ShouldBeNull();

    [Fact]
    public void A_gap_names_what_was_asked_for_and_what_comes() => Encoding.UTF8.GetString(ControlData.Gap("old-7", new RunEventId("e", 1)))
        .ShouldBe("""{"requested":"old-7","resumesAt":"e-1"}""");

    [Fact]
    public void A_failure_is_the_error_object_of_common_AI_clients() => Encoding.UTF8.GetString(ControlData.Failure("busy", "overloaded"))
        .ShouldBe("""{"error":{"message":"busy","code":"overloaded"}}""");
}
