namespace Perennial.Wire.Tests;

public class CloseCodesTests
{
    [Theory]
    [InlineData(1001)]
    [InlineData(1006)]
    [InlineData(1011)]
    [InlineData(CloseCodes.Restarting)]
    [InlineData(CloseCodes.TryLater)]
    [InlineData(3001)]
    [InlineData(4000)]
    [InlineData(4408)]
    [InlineData(4429)]
    [InlineData(4500)]
    public void A_loss_that_may_pass_is_worth_another_connection(int code) => CloseCodes.MayPass(code).ShouldBeTrue();

    [Theory]
    [InlineData(1002)]
    [InlineData(CloseCodes.NoBytes)]
    [InlineData(1007)]
    [InlineData(CloseCodes.TooBig)]
    [InlineData(1010)]
    [InlineData(3000)]
    [InlineData(3003)]
    [InlineData(CloseCodes.BadRequest)]
    [InlineData(CloseCodes.Forbidden)]
    [InlineData(4499)]
    public void What_would_fail_again_is_not(int code) => CloseCodes.MayPass(code).ShouldBeFalse();
}
