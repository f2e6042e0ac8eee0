using System.Text;

namespace Perennial.Wire.Tests;

public class SseFrameTests
{
    [Fact]
    public void A_frame_has_id_name_and_data_in_this_order() =>
        Encode(new RunEventId("e", 7), "token", "Hello").ShouldBe("id: e-7\nevent: token\ndata: Hello\n\n");

    [Fact]
    public void What_is_absent_has_no_line() => Encode(id: null, "", "Hello").ShouldBe("data: Hello\n\n");

    [Theory]
    [InlineData("", "data: \n\n")]
    [InlineData("a\nb", "data: a\ndata: b\n\n")]
    [InlineData("a\rb", "data: a\ndata: b\n\n")]
    [InlineData("a\r\nb", "data: a\ndata: b\n\n")]
    [InlineData("a\n\rb", "data: a\ndata: \ndata: b\n\n")]
    [InlineData("a\n", "data: a\ndata: \n\n")]
    [InlineData("id: forged\n\nevent: forged", "data: id: forged\ndata: \ndata: event: forged\n\n")]
    [InlineData("héllo 🌿", "data: héllo 🌿\n\n")]
    public void Each_line_of_the_data_is_a_data_line(string data, string frame) => Encode(id: null, eventType: null, data).ShouldBe(frame);

    [Fact]
    public void Bytes_go_as_base64() =>
        Encoding.UTF8.GetString(SseFrame.Encode(id: null, eventType: null, [0, 1, 255], PayloadKind.Binary)).ShouldBe("data: AAH/\n\n");

    [Fact]
    public void A_heartbeat_is_a_comment_without_a_blank_line() => Encoding.UTF8.GetString(SseFrame.Heartbeat.Span).ShouldBe(":\n");

    [Fact]
    public void A_wait_is_a_field_of_its_own() =>
        Encoding.UTF8.GetString(SseFrame.EncodeRetry(TimeSpan.FromMilliseconds(1500.4))).ShouldBe("retry: 1500\n\n");

    private static string Encode(RunEventId? id, string? eventType, string data) =>
        Encoding.UTF8.GetString(SseFrame.Encode(id, eventType, Encoding.UTF8.GetBytes(data), PayloadKind.Text));
}
