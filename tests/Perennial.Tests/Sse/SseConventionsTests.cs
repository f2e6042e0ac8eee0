using Perennial.Sse;

namespace Perennial.Tests.Sse;

public class SseConventionsTests
{
    [Fact]
    public void DONE_in_brackets_ends_the_stream() => Classify("[DONE]").ShouldBe(StreamSignal.Completed);

    [Theory]
    [InlineData("")]
    [InlineData("[done]")]
    [InlineData("DONE")]
    [InlineData("[DONE")]
    [InlineData("[DONE] ")]
    [InlineData(" [DONE]")]
    [InlineData("[DONE]\n")]
    [InlineData("[\"DONE\"]")]
    [InlineData("{\"type\":\"done\"}")]
    [InlineData("the model said [DONE]")]
    public void What_only_looks_like_the_end_marker_is_a_message(string data) => Classify(data).ShouldBe(StreamSignal.None);

    [Theory]
    [InlineData("done")]
    [InlineData("end")]
    [InlineData("close")]
    [InlineData("error")]
    [InlineData("[DONE]")]
    public void An_event_that_merely_is_called_done_is_an_event(string type)
    {
        Classify("text", type).ShouldBe(StreamSignal.None);
        ClassifyControl(type).ShouldBe(StreamSignal.None);
    }

    [Fact]
    public void The_end_marker_ends_the_stream_whatever_the_event_is_called() =>
        Classify("[DONE]", "done").ShouldBe(StreamSignal.Completed);

    [Theory]
    [InlineData("""{"type":"error"}""")]
    [InlineData("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""")]
    [InlineData("""{"error":{"type":"overloaded_error"},"type":"error"}""")]
    [InlineData("""{"sequence_number":3,"codes":[{"type":"x"},[]],"type":"error","message":null}""")]
    [InlineData("{ \"type\" : \"error\" }")]
    [InlineData("{\n  \"type\":\t\"error\"\r\n}")]
    [InlineData("""{"typ\u0065":"error"}""")]
    public void An_object_of_type_error_is_an_error(string data) => Classify(data).ShouldBe(StreamSignal.Error);

    [Theory]
    [InlineData("""{"type":"message","error":null,"kind":"error"}""")]
    [InlineData("""{"type":"Error","text":"\"error\""}""")]
    [InlineData("""{"Type":"error"}""")]
    [InlineData("""{"inner":{"type":"error"}}""")]
    [InlineData("""{"inner":{"type":"error"},"type":"token"}""")]
    [InlineData("""[{"type":"error"}]""")]
    [InlineData("""{"type":["error"]}""")]
    [InlineData("""{"type":{"error":"error"}}""")]
    [InlineData("""{"type":null,"error":"error"}""")]
    [InlineData("""{"type":1,"x":"error"}""")]
    [InlineData("""{"text":"{\"type\":\"error\"}"}""")]
    [InlineData("\"type\":\"error\"")]
    [InlineData("type error")]
    public void Only_the_type_of_the_object_itself_makes_it_an_error(string data) => Classify(data).ShouldBe(StreamSignal.None);

    [Theory]
    [InlineData("""{"error":{"message":"overloaded","code":"x"}}""")]
    [InlineData("""{"error":"model not found"}""")]
    [InlineData("""{"error":{}}""")]
    [InlineData("""{"code":500,"error":{"message":"overloaded"},"request_id":"r"}""")]
    [InlineData("{ \"error\" : \"x\" }")]
    public void An_object_that_holds_an_error_alone_is_a_failure(string data) => Classify(data).ShouldBe(StreamSignal.Failed);

    [Theory]
    [InlineData("""{"error":null}""")]
    [InlineData("""{"error":""}""")]
    [InlineData("""{"error":false}""")]
    [InlineData("""{"error":0,"code":1}""")]
    [InlineData("""{"error":"x","step":3}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}""")]
    [InlineData("""{"inner":{"error":"x"}}""")]
    [InlineData("""[{"error":"x"}]""")]
    public void An_error_among_other_members_is_data(string data) => Classify(data).ShouldBe(StreamSignal.None);

    [Theory]
    [InlineData("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""")]
    [InlineData("""{"message":"x"}""")]
    [InlineData("\"overloaded\"")]
    [InlineData("500")]
    public void An_event_called_error_with_JSON_is_a_failure(string data) => Classify(data, "error").ShouldBe(StreamSignal.Failed);

    [Theory]
    [InlineData("{\"error\"")]
    [InlineData("{\"error\" \"type\":\"error\"}")]
    [InlineData("{'type':\"error\"}")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("{the word \"error\" in a sentence}")]
    public void What_is_no_JSON_is_a_message(string data) => Classify(data).ShouldBe(StreamSignal.None);

    [Fact]
    public void JSON_nested_deeper_than_any_reader_goes_is_a_message() =>
        Classify($$"""{"x":{{new string('[', 100)}}"error"{{new string(']', 100)}},"type":"error"}""").ShouldBe(StreamSignal.None);

    [Theory]
    [InlineData(1_000)]
    [InlineData(1_000_000)]
    public void A_large_payload_may_tell_its_type_first_or_last(int size)
    {
        var text = new string('x', size);

        Classify($$"""{"type":"error","message":"{{text}}"}""").ShouldBe(StreamSignal.Error);
        Classify($$"""{"message":"{{text}}","type":"error"}""").ShouldBe(StreamSignal.Error);
        Classify($$"""{"message":"{{text}}","type":"token"}""").ShouldBe(StreamSignal.None);
    }

    [Theory]
    [InlineData("perennial.completed", nameof(StreamSignal.Completed))]
    [InlineData("perennial.stopped", nameof(StreamSignal.Stopped))]
    [InlineData("perennial.failed", nameof(StreamSignal.Failed))]
    [InlineData("perennial.gap", nameof(StreamSignal.Gap))]
    [InlineData("perennial.of-a-later-version", nameof(StreamSignal.Ignored))]
    [InlineData("perennial.", nameof(StreamSignal.Ignored))]
    [InlineData("perennial", nameof(StreamSignal.None))]
    [InlineData("Perennial.Completed", nameof(StreamSignal.None))]
    [InlineData("message", nameof(StreamSignal.None))]
    [InlineData(null, nameof(StreamSignal.None))]
    public void Control_events_have_names_of_their_own(string? type, string signal) => ClassifyControl(type).ToString().ShouldBe(signal);

    [Fact]
    public void A_control_event_of_a_server_that_did_not_announce_itself_is_an_event() =>
        Classify("{}", "perennial.completed").ShouldBe(StreamSignal.None);

    private static StreamSignal Classify(string data, string? type = null)
    {
        var message = StreamMessage.FromText(data, eventType: type);
        return SseConventions.Classify(in message);
    }

    private static StreamSignal ClassifyControl(string? type)
    {
        var message = StreamMessage.FromText("{}", eventType: type);
        return ControlEvents.Classify(in message);
    }
}
