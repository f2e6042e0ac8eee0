using System.Buffers;
using System.Text;

namespace Perennial.Wire.Tests;

public class ClientMessageTests
{
    private const string Id = "k3JabcdefghijklmnopqrS";

    [Fact]
    public void A_sender_is_read_as_it_was_written()
    {
        var json = Written(output => ClientMessageWriter.WriteSender(output, Id, 42));

        Encoding.UTF8.GetString(json).ShouldBe($$$"""{"type":"perennial.sender","data":{"id":"{{{Id}}}","next":42}}""");
        ClientMessage.Read(json, maxBytes: 0).ShouldBe(new ClientMessage(ClientMessageKind.Sender, 42, Id));
    }

    [Theory]
    [InlineData("Stop talking.", nameof(PayloadKind.Text), "\"data\":\"Stop talking.\"")]
    [InlineData("3", nameof(PayloadKind.Text), "\"data\":\"3\"")]
    [InlineData("line\n\"quote\"", nameof(PayloadKind.Text), "\"data\":\"line\\n\\\"quote\\\"\"")]
    [InlineData("""{"a": 1}""", nameof(PayloadKind.Json), "\"data\":{\"a\": 1}")]
    [InlineData("\"text\"", nameof(PayloadKind.Json), "\"data\":\"\\\"text\\\"\"")]
    [InlineData("\0\u0001", nameof(PayloadKind.Binary), "\"binary\":\"AAE=\"")]
    public void A_message_is_read_as_it_was_written(string data, string kindName, string member)
    {
        var kind = Enum.Parse<PayloadKind>(kindName);
        var json = Written(output => ClientMessageWriter.WriteSend(output, 7, Encoding.UTF8.GetBytes(data), kind));

        Encoding.UTF8.GetString(json).ShouldBe($$"""{"type":"perennial.send","number":7,{{member}}}""");
        var read = ClientMessage.Read(json, maxBytes: 100).ShouldNotBeNull();
        (read.Kind, read.Number, read.IsBinary).ShouldBe((ClientMessageKind.Send, 7, kind == PayloadKind.Binary));
        Encoding.UTF8.GetString(read.Data!).ShouldBe(data);
    }

    [Fact]
    public void A_request_to_stop_is_read_as_it_was_written() =>
        ClientMessage.Read(ClientMessageWriter.StopRequest.Span, maxBytes: 0).ShouldBe(new ClientMessage(ClientMessageKind.Stop));

    [Theory]
    [InlineData(5, true)]
    [InlineData(4, false)]
    public void A_message_larger_than_allowed_has_no_data(int maxBytes, bool hasData)
    {
        foreach (var kind in Enum.GetValues<PayloadKind>())
        {
            var json = Written(output => ClientMessageWriter.WriteSend(output, 1, "12345"u8, kind));
            (ClientMessage.Read(json, maxBytes)!.Value.Data is not null).ShouldBe(hasData, kind.ToString());
        }
    }

    [Theory]
    [InlineData("""{"type":"perennial.later","number":"x"}""", nameof(ClientMessageKind.Unknown))]
    [InlineData("""{"number":1,"type":"perennial.stop"}""", nameof(ClientMessageKind.Stop))]
    public void What_a_later_version_adds_is_ignored(string json, string kind) =>
        ClientMessage.Read(Encoding.UTF8.GetBytes(json), maxBytes: 0).ShouldBe(new ClientMessage(Enum.Parse<ClientMessageKind>(kind)));

    [Theory]
    [InlineData("")]
    [InlineData("3")]
    [InlineData("{}")]
    [InlineData("""{"type":"token"}""")]
    [InlineData("""{"type":"perennial.stop"} {}""")]
    [InlineData("""{"type":"perennial.send","data":1}""")]
    [InlineData("""{"type":"perennial.send","number":0,"data":1}""")]
    [InlineData("""{"type":"perennial.send","number":1}""")]
    [InlineData("""{"type":"perennial.send","number":1,"data":1,"binary":"AAE="}""")]
    [InlineData("""{"type":"perennial.send","number":1,"binary":"?"}""")]
    [InlineData("""{"type":"perennial.send","number":1,"data":"\ud83c"}""")]
    [InlineData("""{"type":"perennial.sender","data":{"id":"short","next":1}}""")]
    [InlineData("""{"type":"perennial.sender","data":{"id":"k3JabcdefghijklmnopqrS","next":0}}""")]
    public void What_the_protocol_does_not_allow_is_not_read(string json) =>
        ClientMessage.Read(Encoding.UTF8.GetBytes(json), maxBytes: 100).ShouldBeNull();

    [Theory]
    [InlineData("""{"type":"perennial.send","number":43,"data":"begin""", 43L)]
    [InlineData("""{"type":"perennial.send","data":"begin""", null)]
    [InlineData("""{"number":43,"type":"perennial.sen""", null)]
    [InlineData("nonsense", null)]
    public void The_number_of_a_message_is_found_at_its_beginning(string json, long? number) =>
        ClientMessage.NumberOfBeginning(Encoding.UTF8.GetBytes(json)).ShouldBe(number);

    private static byte[] Written(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }
}
