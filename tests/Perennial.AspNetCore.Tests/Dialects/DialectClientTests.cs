using Perennial.AspNetCore.Tests.Http;
using Perennial.WebSockets;

namespace Perennial.AspNetCore.Tests.Dialects;

/// <summary>Perennial's own client reads a run that has a dialect like every other run, and resumes it.</summary>
public class DialectClientTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Forms => new MatrixTheoryData<string, string>(
        ["Sse", "JsonLines", "LongPoll", "WebSocket"], ["openai-chat", "anthropic", "ollama", "gemini", "ai-sdk", "ag-ui"]);

    [Theory(Timeout = RunServer.Hang)]
    [MemberData(nameof(Forms))]
    public async Task A_whole_answer_is_complete(string form, string dialect)
    {
        var each = Case($"{dialect}: nothing is added to an end that was recorded");
        await using var server = await RunServer.StartAsync();
        var run = await each.StartAsync(server, Task.CompletedTask);

        var (texts, end) = await ReadAsync(form, server, run);

        end.Reason.ShouldBe(StreamEndReason.Completed);
        texts.ShouldBe(each.Events.Select(static item => item.Data));
    }

    [Theory(Timeout = RunServer.Hang)]
    [MemberData(nameof(Forms))]
    public async Task A_failure_is_the_servers(string form, string dialect)
    {
        var each = Case($"{dialect}: a failure is an error of the dialect");
        await using var server = await RunServer.StartAsync();
        var run = await each.StartAsync(server, Task.CompletedTask);

        var (texts, end) = await ReadAsync(form, server, run);

        end.Reason.ShouldBe(StreamEndReason.Failed);
        (end.Error!.ServerCode, end.Error.ServerMessage).ShouldBe((each.Code, each.Message));
        texts.ShouldBe(each.Events.Select(static item => item.Data));
    }

    private static SpellingCase Case(string name) => SpellingCase.Load()[name];

    private static async Task<(List<string> Texts, StreamEnd End)> ReadAsync(string form, RunServer server, StartedRun run)
    {
        var address = new Uri(server.Address, RunServer.PathOf(run));
        await using var transport = Enum.TryParse<ReaderForm>(form, out var http)
            ? http.NewTransport(address)
            : new WebSocketTransport(address);
        var texts = new List<string>();
        try
        {
            await foreach (var message in transport.ReadAllAsync(TestEnds))
            {
                texts.Add(message.Text);
            }
        }
        catch (TransportException)
        {
            // Completion has the error.
        }

        return (texts, await transport.Completion);
    }
}
