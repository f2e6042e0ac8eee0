using System.Text;

namespace Perennial.Wire.Tests;

public class SideEventTests
{
    [Fact]
    public void A_hello_is_read_as_it_was_written()
    {
        var read = Read(SideEventWriter.Hello(new HelloData(7.5, "e-17")), """{"type":"perennial.hello","data":{"heartbeat":7.5,"cursor":"e-17"}}""");

        (read.Kind, read.Heartbeat).ShouldBe((SideEventKind.Hello, TimeSpan.FromSeconds(7.5)));
    }

    [Fact]
    public void An_acknowledgement_is_read_as_it_was_written()
    {
        var read = Read(SideEventWriter.Acknowledgement(42), """{"type":"perennial.ack","data":{"received":42}}""");

        (read.Kind, read.Number).ShouldBe((SideEventKind.Acknowledged, 42L));
    }

    [Fact]
    public void A_refusal_is_read_as_it_was_written()
    {
        var read = Read(
            SideEventWriter.Refusal(new RefusalData(43, RefusalCodes.TooLarge, "Too large.")),
            """{"type":"perennial.refused","data":{"number":43,"code":"payload_too_large","message":"Too large."}}""");

        (read.Kind, read.Number, read.IsOfStop, read.Code, read.Message).ShouldBe(
            (SideEventKind.Refused, 43L, false, "payload_too_large", "Too large."));
    }

    [Fact]
    public void A_refusal_to_stop_is_read_as_it_was_written()
    {
        var read = Read(
            SideEventWriter.Refusal(new RequestRefusalData(RequestRefusalData.Stop, RefusalCodes.Forbidden, "No.")),
            """{"type":"perennial.refused","data":{"request":"stop","code":"forbidden","message":"No."}}""");

        (read.Kind, read.Number, read.IsOfStop, read.Code, read.Message).ShouldBe((SideEventKind.Refused, null, true, "forbidden", "No."));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("""{"received":-1}""")]
    [InlineData("""{"received":"1"}""")]
    [InlineData("""{"received":1.5}""")]
    public void A_member_of_another_type_is_none(string json) =>
        SideEvent.Read(SideEventKind.Acknowledged, Encoding.UTF8.GetBytes(json)).ShouldBe(new SideEvent(SideEventKind.Acknowledged));

    [Theory]
    [InlineData("message")]
    [InlineData("perennial.completed")]
    [InlineData("perennial.heartbeat")]
    public void An_event_of_the_stream_is_none(string eventType) => SideEvent.KindOf(eventType).ShouldBeNull();

    private static SideEvent Read(byte[] written, string expected)
    {
        Encoding.UTF8.GetString(written).ShouldBe(expected);
        EnvelopeReader.TryFind(written, out var envelope).ShouldBeTrue();
        var kind = SideEvent.KindOf(envelope.ReadType()!).ShouldNotBeNull();
        return SideEvent.Read(kind, envelope.ReadData(new byte[written.Length]).ToArray());
    }
}
