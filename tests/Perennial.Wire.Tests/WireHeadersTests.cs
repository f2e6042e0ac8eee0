namespace Perennial.Wire.Tests;

public class WireHeadersTests
{
    [Theory]
    [InlineData(15_000, "15")]
    [InlineData(7_500, "7.5")]
    [InlineData(1, "0.001")]
    [InlineData(3_600_000, "3600")]
    public void A_heartbeat_is_read_as_it_was_written(int milliseconds, string value)
    {
        var interval = TimeSpan.FromMilliseconds(milliseconds);

        WireHeaders.FormatHeartbeat(interval).ShouldBe(value);
        WireHeaders.ParseHeartbeat(value).ShouldBe(interval);
    }

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("86400")]
    [InlineData("NaN")]
    public void A_heartbeat_out_of_range_is_none(string value) => WireHeaders.ParseHeartbeat(value).ShouldBeNull();

    [Theory]
    [InlineData("perennial.completed", true)]
    [InlineData("perennial.", true)]
    [InlineData("perennial", false)]
    [InlineData("Perennial.completed", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Names_that_begin_as_the_protocols_own_are_reserved(string? name, bool isReserved) =>
        EventNames.IsReserved(name).ShouldBe(isReserved);

    [Fact]
    public void Only_dialects_are_public() => typeof(WireHeaders).Assembly.GetExportedTypes()
        .ShouldAllBe(static type => type.Name.StartsWith("Dialect", StringComparison.Ordinal));
}
