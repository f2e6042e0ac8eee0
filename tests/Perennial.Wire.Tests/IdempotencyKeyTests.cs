namespace Perennial.Wire.Tests;

public class IdempotencyKeyTests
{
    [Fact]
    public void A_key_is_read_as_it_was_written()
    {
        using var request = new HttpRequestMessage();

        IdempotencyKey.AddTo(request);

        var value = request.Headers.NonValidated[IdempotencyKey.HeaderName].ToString();
        IdempotencyKey.TryRead(value, out var key).ShouldBeTrue();
        Guid.TryParseExact(key, "N", out _).ShouldBeTrue();
        IdempotencyKey.Format(key!).ShouldBe(value);
    }

    [Fact]
    public void A_request_keeps_the_key_that_it_has()
    {
        using var request = new HttpRequestMessage();
        request.Headers.TryAddWithoutValidation(IdempotencyKey.HeaderName, "mine");

        IdempotencyKey.AddTo(request);

        request.Headers.NonValidated[IdempotencyKey.HeaderName].ToString().ShouldBe("mine");
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("\"one\"", "one")]
    [InlineData("one", "one")]
    [InlineData("\"", "\"")]
    [InlineData("~!", "~!")]
    public void Bare_characters_are_a_key_too(string? value, string? key)
    {
        IdempotencyKey.TryRead(value, out var read).ShouldBeTrue();
        read.ShouldBe(key);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("two words")]
    [InlineData("schlüssel")]
    public void What_is_not_visible_ASCII_is_no_key(string value) => IdempotencyKey.TryRead(value, out _).ShouldBeFalse();

    [Theory]
    [InlineData(IdempotencyKey.Longest, true)]
    [InlineData(IdempotencyKey.Longest + 1, false)]
    public void A_key_has_a_limit(int length, bool isValid) => IdempotencyKey.TryRead(new string('x', length), out _).ShouldBe(isValid);
}
