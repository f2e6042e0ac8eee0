using System.Text;
using System.Text.Json;

namespace Perennial.Wire.Tests;

public class EnvelopeTests
{
    [Theory]
    [InlineData("Hello", nameof(PayloadKind.Text), """{"id":"e-7","type":"token","data":"Hello"}""")]
    [InlineData("", nameof(PayloadKind.Text), """{"id":"e-7","type":"token","data":""}""")]
    [InlineData("3", nameof(PayloadKind.Text), """{"id":"e-7","type":"token","data":"3"}""")]
    [InlineData("3", nameof(PayloadKind.Json), """{"id":"e-7","type":"token","data":3}""")]
    [InlineData("""{"a":1}""", nameof(PayloadKind.Json), """{"id":"e-7","type":"token","data":{"a":1}}""")]
    [InlineData("\"text\"", nameof(PayloadKind.Json), """{"id":"e-7","type":"token","data":"\"text\""}""")]
    [InlineData("{\r\n}", nameof(PayloadKind.Json), """{"id":"e-7","type":"token","data":"{\r\n}"}""")]
    [InlineData(" 3", nameof(PayloadKind.Json), """{"id":"e-7","type":"token","data":" 3"}""")]
    [InlineData("3 ", nameof(PayloadKind.Json), """{"id":"e-7","type":"token","data":"3 "}""")]
    [InlineData("\0\u0001", nameof(PayloadKind.Binary), """{"id":"e-7","type":"token","binary":"AAE="}""")]
    public void An_event_is_read_as_it_was_written(string data, string kindName, string envelope)
    {
        var kind = Enum.Parse<PayloadKind>(kindName);
        var line = Envelope.EncodeLine(new RunEventId("e", 7), "token", Encoding.UTF8.GetBytes(data), kind);

        Encoding.UTF8.GetString(line).ShouldBe(envelope + "\n");
        var read = Read(Encoding.UTF8.GetString(Envelope.WithoutLineEnd(line).Span));
        read.ShouldBe(new Event("e-7", "token", data, kind == PayloadKind.Binary));
    }

    [Fact]
    public void What_is_absent_has_no_member() =>
        Encoding.UTF8.GetString(Envelope.EncodeLine(id: null, "", "x"u8, PayloadKind.Text)).ShouldBe("{\"data\":\"x\"}\n");

    [Fact]
    public void A_heartbeat_is_an_event_of_the_protocol_without_data()
    {
        var line = Encoding.UTF8.GetString(Envelope.HeartbeatLine.Span);

        line.ShouldBe("{\"type\":\"perennial.heartbeat\"}\n");
        Read(line).ShouldBe(new Event("", EventNames.Heartbeat, "", IsBinary: false));
    }

    [Theory]
    [InlineData("""{"x":[{"id":"no"}],"data":1,"type":"a","id":"b"}""", "b", "a", "1")]
    [InlineData("""{"data":"one","data":"two"}""", "", null, "two")]
    [InlineData("""{"id":7,"type":null,"data":null}""", "", null, "null")]
    [InlineData("""{"id":"\u0065-1","data":"gr\u00fcn"}""", "e-1", null, "grün")]
    public void Members_come_in_any_order_and_unknown_ones_are_ignored(string json, string id, string? type, string data) =>
        Read(json).ShouldBe(new Event(id, type, data, IsBinary: false));

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"x":1}""")]
    [InlineData("[]")]
    [InlineData("3")]
    public void What_has_no_member_of_an_envelope_is_none(string json) =>
        EnvelopeReader.TryFind(Encoding.UTF8.GetBytes(json), out _).ShouldBeFalse();

    [Theory]
    [InlineData("{\"data\":1")]
    [InlineData("{\"data\":1} x")]
    [InlineData("nonsense")]
    public void What_is_no_JSON_is_an_error(string json) =>
        Should.Throw<JsonException>(() => EnvelopeReader.TryFind(Encoding.UTF8.GetBytes(json), out _));

    [Fact]
    public void An_id_alone_holds_no_event()
    {
        EnvelopeReader.TryFind("""{"id":"e-7"}"""u8, out var envelope).ShouldBeTrue();
        envelope.HoldsEvent.ShouldBeFalse();
    }

    [Fact]
    public void Base64_that_is_none_is_an_error() => Should.Throw<FormatException>(() => Read("""{"binary":"?"}"""));

    private static Event Read(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        EnvelopeReader.TryFind(bytes, out var envelope).ShouldBeTrue();
        var scratch = new byte[bytes.Length];
        var id = envelope.ReadId(scratch);
        var data = envelope.ReadData(scratch.AsSpan(id.Length));
        return new Event(Encoding.UTF8.GetString(id), envelope.ReadType(), Encoding.UTF8.GetString(data), envelope.IsBinary);
    }

    private sealed record Event(string Id, string? Type, string Data, bool IsBinary);
}
