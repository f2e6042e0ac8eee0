using System.Text;

namespace Perennial.Wire.Tests;

public class ServerErrorTests
{
    [Fact]
    public void A_failure_is_read_as_it_was_written() =>
        ServerError.FromJson(ControlData.Failure("busy", "overloaded")).ShouldBe(new ServerError("busy", "overloaded"));

    [Theory]
    [InlineData("""{"type":"https://example.com/full","title":"Full","detail":"No room.","status":503}""", "No room.", "https://example.com/full")]
    [InlineData("""{"type":"about:blank","title":"Full","status":503}""", "Full", null)]
    [InlineData("""{"error":"busy"}""", "busy", null)]
    [InlineData("""{"error":"invalid_grant","error_description":"Too late."}""", "Too late.", "invalid_grant")]
    [InlineData("""[{"error":{"message":"busy","status":"UNAVAILABLE","code":503}}]""", "busy", "UNAVAILABLE")]
    [InlineData("""{"errors":[{"message":"busy"}]}""", "busy", null)]
    [InlineData("\"busy\"", "busy", null)]
    [InlineData("{}", null, null)]
    [InlineData("nonsense", null, null)]
    [InlineData("""{"error":"\ud83c"}""", null, null)]
    public void The_shapes_in_use_are_read(string json, string? message, string? code) =>
        ServerError.FromJson(Encoding.UTF8.GetBytes(json)).ShouldBe(new ServerError(message, code));
}
