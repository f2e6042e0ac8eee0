using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;

namespace Perennial.AspNetCore.Tests.Interop;

/// <summary>Programs that know nothing of Perennial read its runs.</summary>
public class ForeignClientTests
{
    public static bool HasCurl => ForeignProgram.WhyNot("curl") is null;

    public static bool HasNode => ForeignProgram.WhyNot("node") is null && ForeignProgram.WhyNot("npm") is null;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang, Skip = "curl is not installed.", SkipUnless = nameof(HasCurl))]
    public async Task Curl_shows_each_event_as_it_comes()
    {
        await using var server = await RunServer.StartAsync();
        var (one, two) = (new TaskCompletionSource(), new TaskCompletionSource());
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await one.Task;
            await writer.WriteAsync("Hello", cancellationToken: stop);
            await two.Task;
            await writer.WriteAsync("two\nlines", "token", stop);
        });

        using var curl =
            ForeignProgram.Start("", "curl", "--silent", "--no-buffer", new Uri(server.Address, RunServer.PathOf(run)).ToString());
        var output = curl.StandardOutput;
        (await output.ReadLineAsync(TestEnds)).ShouldBe(":", "the server is there, although there is no event yet");
        one.SetResult();
        (await LinesAsync(3)).ShouldBe([$"id: {run.Epoch}-1", "data: Hello", ""]);
        two.SetResult();
        (await output.ReadToEndAsync(TestEnds)).ShouldBe(
            $"id: {run.Epoch}-2\nevent: token\ndata: two\ndata: lines\n\n" +
            $"id: {run.Epoch}-3\nevent: perennial.completed\ndata: [DONE]\n\n");
        await curl.WaitForExitAsync(TestEnds);
        curl.ExitCode.ShouldBe(0);

        async Task<List<string?>> LinesAsync(int count)
        {
            List<string?> lines = [];
            while (lines.Count < count)
            {
                lines.Add(await output.ReadLineAsync(TestEnds));
            }

            return lines;
        }
    }

    [Theory(Timeout = 3 * RunServer.Hang, Skip = "Node and npm are not installed.", SkipUnless = nameof(HasNode))]
    [InlineData(false, "Hello, world.|end")]
    [InlineData(true, "Hello, world.|The model is busy.")]
    public async Task The_openai_package_reads_a_run_in_its_chunk_format(bool fails, string expected)
    {
        await ForeignProgram.InstallAsync("openai");
        await using var server = await RunServer.StartAsync(
            options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(5),
            app =>
                app.MapPost(
                    "/chat/completions", (StreamRuns runs) => runs.Start(async (writer, stop) => await AnswerAsync(writer, fails, stop))));

        (await ForeignProgram.RunAsync("openai", "node", "reader.js", server.Address.ToString())).ShouldBe(expected);
    }

    private static async Task AnswerAsync(RunWriter writer, bool fails, CancellationToken stop)
    {
        foreach (var text in (string[])["Hello", ", ", "world."])
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stop);     // heartbeats come between the chunks
            await writer.WriteAsync(ChunkOf(text), cancellationToken: stop);
        }

        if (fails)
        {
            throw new RunFailedException("The model is busy.", "model_overloaded");
        }
    }

    private static string ChunkOf(string text) => new JsonObject
    {
        ["id"] = "chatcmpl-1",
        ["object"] = "chat.completion.chunk",
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = new JsonObject { ["content"] = text } }),
    }.ToJsonString();
}
