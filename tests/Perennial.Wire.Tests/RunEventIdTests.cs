namespace Perennial.Wire.Tests;

public class RunEventIdTests
{
    [Theory]
    [InlineData("e", 0, "e-0")]
    [InlineData("abcd2345", 17, "abcd2345-17")]
    [InlineData("with-dash", long.MaxValue, "with-dash-9223372036854775807")]
    public void An_id_is_read_as_it_was_written(string epoch, long sequence, string text)
    {
        var id = new RunEventId(epoch, sequence);

        id.ToString().ShouldBe(text);
        RunEventId.TryParse(text, out var read).ShouldBeTrue();
        read.ShouldBe(id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("e")]
    [InlineData("e-")]
    [InlineData("e- 1")]
    [InlineData("e-+1")]
    [InlineData("e-1.0")]
    [InlineData("e-9223372036854775808")]
    public void What_is_no_id_is_not_read(string text) => RunEventId.TryParse(text, out _).ShouldBeFalse();
}
