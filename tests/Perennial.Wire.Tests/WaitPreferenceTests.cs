namespace Perennial.Wire.Tests;

public class WaitPreferenceTests
{
    [Theory]
    [InlineData(0, "wait=0")]
    [InlineData(20, "wait=20")]
    public void A_wait_is_read_as_it_was_written(int seconds, string preference)
    {
        WaitPreference.Format(TimeSpan.FromSeconds(seconds)).ShouldBe(preference);
        WaitPreference.Parse(preference).ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void Its_name_has_no_case() => WaitPreference.Parse("Wait=5").ShouldBe(TimeSpan.FromSeconds(5));

    [Theory]
    [InlineData("")]
    [InlineData("wait")]
    [InlineData("wait=")]
    [InlineData("wait=-1")]
    [InlineData("wait=1.5")]
    [InlineData("respond-async")]
    public void Another_preference_is_none(string preference) => WaitPreference.Parse(preference).ShouldBeNull();
}
