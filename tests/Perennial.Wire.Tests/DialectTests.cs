using System.Text.Json;

namespace Perennial.Wire.Tests;

public class DialectTests
{
    [Theory]
    [InlineData("7")]
    [InlineData("\"a b\"")]
    [InlineData("\"\\u00e9\\\"\"")]
    public void An_answer_to_an_MCP_request_is_found_by_its_name(string id)
    {
        var dialect = Dialects.McpAnswerTo(Json(id));

        dialect.Name.ShouldBe($"mcp:{id}");
        Dialects.TryGet(dialect.Name, out var found).ShouldBeTrue();
        found.ShouldBe(dialect);
        found.ShouldNotBe(Dialects.McpAnswerTo(Json("8")));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{}")]
    public void What_is_no_id_of_a_request_is_refused(string id)
    {
        Should.Throw<ArgumentException>(() => Dialects.McpAnswerTo(Json(id))).Message.ShouldStartWith(
            "The id of a JSON-RPC request must be a string or a number, not ");
        Dialects.TryGet($"mcp:{id}", out _).ShouldBeFalse();
        Dialects.TryGet("mcp:", out _).ShouldBeFalse();
    }

    [Fact]
    public void Half_a_surrogate_pair_in_a_message_is_still_JSON()
    {
        foreach (var dialect in Dialects.Known)
        {
            foreach (var spelled in dialect.SpellFailure(default, "half \ud83c \u2028 \0 \" \\ \r\n", "co\"de"))
            {
                if (!spelled.Data.Span.SequenceEqual("[DONE]"u8))
                {
                    using var json = JsonDocument.Parse(spelled.Data);
                    json.RootElement.GetRawText().ShouldContain("half \\uFFFD");
                }

                (spelled.IsBare || !spelled.Data.Span.ContainsAny((byte)'\r', (byte)'\n')).ShouldBeTrue();
            }
        }
    }

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
