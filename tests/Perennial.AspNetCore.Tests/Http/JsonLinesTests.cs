using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Http;

public class JsonLinesTests
{
    private const string Accept = "application/x-ndjson";

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_small_run_is_exactly_these_lines()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("Hel\"lo\n", "token", stop);
            await writer.WriteJsonAsync(3, TestJson.Default.Int32, cancellationToken: stop);
            await writer.WriteJsonAsync("grün", TestJson.Default.String, cancellationToken: stop);
            await writer.WriteBinaryAsync(new byte[] { 0, 1, 255 }, "audio", stop);
            throw new RunFailedException("busy");
        });
        await run.Completion;

        (await server.ReadAsync(run, accept: Accept)).ShouldBe(
            $$"""{"id":"{{run.Epoch}}-1","type":"token","data":"Hel\"lo\n"}""" + "\n" +
            $$"""{"id":"{{run.Epoch}}-2","data":3}""" + "\n" +
            $$"""{"id":"{{run.Epoch}}-3","data":"\"gr\\u00FCn\""}""" + "\n" +
            $$"""{"id":"{{run.Epoch}}-4","type":"audio","binary":"AAH/"}""" + "\n" +
            $$"""{"id":"{{run.Epoch}}-5","type":"perennial.failed",""" + "\"data\":" + """{"error":{"message":"busy","code":"run_failed"}}}""" + "\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Its_head_says_what_it_is_and_a_gap_comes_first()
    {
        await using var server = await RunServer.StartAsync(options => options.HeartbeatInterval = TimeSpan.FromSeconds(7.5));
        var run = await server.FinishedRunAsync("one");

        using var response = await server.OpenAsync(run, "elsewhere-7", Accept);

        WireFormatTests.Header(response, "Cache-Control").ShouldBe("no-store, no-transform");
        WireFormatTests.Header(response, "X-Accel-Buffering").ShouldBe("no");
        WireFormatTests.Header(response, "Perennial-Protocol").ShouldBe("1");
        WireFormatTests.Header(response, "Perennial-Heartbeat").ShouldBe("7.5");
        WireFormatTests.Header(response, "Perennial-Cursor").ShouldBe($"{run.Epoch}-0");
        (await response.Content.ReadAsStringAsync(TestEnds)).ShouldStartWith(
            $$$"""{"type":"perennial.gap","data":{"requested":"elsewhere-7","resumesAt":"{{{run.Epoch}}}-1"}}""" + "\n{\"id\":");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(ReaderForm.JsonLines)]
    [InlineData(ReaderForm.LongPoll)]
    public async Task Every_payload_comes_back_byte_for_byte(ReaderForm form)
    {
        string[] texts =
            ["", "plain", "line\nbreak\r\nand\rmore", "quote \" back \\ slash / \u0001 \u2028 grün 🌿", "null", "{\"looks\":\"like JSON\"}"];
        object[] values = [1.50m, "text", new { a = 1 }, true, new[] { 1, 2 }, "with \"quotes\""];
        var indented = new JsonSerializerOptions { WriteIndented = true, NewLine = "\r\n", TypeInfoResolver = JsonSerializerOptions.Default.TypeInfoResolver };
        byte[][] binaries = [[], [0, 255, 10, 13], "text"u8.ToArray()];
        var expected = new List<(string Data, bool IsBinary)>();
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            foreach (var text in texts)
            {
                expected.Add((Hex(Encoding.UTF8.GetBytes(text)), false));
                await writer.WriteAsync(text, cancellationToken: stop);
            }

            foreach (var value in values)
            {
                foreach (var options in (JsonSerializerOptions[])[JsonSerializerOptions.Default, indented])
                {
                    expected.Add((Hex(JsonSerializer.SerializeToUtf8Bytes(value, options)), false));
                    await writer.WriteJsonAsync(value, (JsonTypeInfo<object>)options.GetTypeInfo(typeof(object)), cancellationToken: stop);
                }
            }

            foreach (var binary in binaries)
            {
                expected.Add((Hex(binary), true));
                await writer.WriteBinaryAsync(binary, cancellationToken: stop);
            }
        });
        await using var transport = form.NewTransport(new Uri(server.Address, RunServer.PathOf(run)));

        var read = new List<(string, bool)>();
        await foreach (var message in transport.ReadAllAsync(TestEnds))
        {
            read.Add((Hex(message.Data.Span), message.IsBinary));
        }

        read.ShouldBe(expected);

        static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);
    }

    [Fact]
    public void What_would_change_as_a_json_value_goes_as_a_string()
    {
        foreach (var json in (string[])["\"text\"", " 1", "1 ", "{\n}", "[\r]", ""])
        {
            var record = new RunRecord("epoch", 1, new RunEvent { Data = Encoding.UTF8.GetBytes(json), Kind = RunDataKind.Json });
            using var line = JsonDocument.Parse(record.JsonLine);
            line.RootElement.GetProperty("data").GetString().ShouldBe(json);
            record.JsonLine.Count(b => b == '\n').ShouldBe(1);
        }
    }

    [Fact]
    public void A_record_is_encoded_once_for_each_form()
    {
        var record = new RunRecord("epoch", 1, new RunEvent { Data = "data"u8.ToArray(), Kind = RunDataKind.Text });

        record.SseFrame.ShouldBeSameAs(record.SseFrame);
        record.JsonLine.ShouldBeSameAs(record.JsonLine);
    }
}
