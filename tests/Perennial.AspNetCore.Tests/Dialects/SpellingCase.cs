using System.Text.Json;
using Perennial.Tests.Fixtures;

namespace Perennial.AspNetCore.Tests.Dialects;

/// <summary>One case of conformance/spelling.json; the format is described beside it.</summary>
internal sealed record SpellingCase
{
    public required Dialect Dialect { get; init; }

    public required IReadOnlyList<(string? Type, string Data)> Events { get; init; }

    public required string Ending { get; init; }

    public required string Message { get; init; }

    public required string Code { get; init; }

    public required string Body { get; init; }

    public required bool IsWhole { get; init; }

    public required string Status { get; init; }

    public static IReadOnlyDictionary<string, SpellingCase> Load() => ConformanceFile.Load("spelling.json", Parse);

    /// <summary>
    /// Starts a run that writes the events, waits for <paramref name="go"/> after the first one, and ends as the case says.
    /// </summary>
    public async Task<StartedRun> StartAsync(RunServer server, Task go)
    {
        var written = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            for (var i = 0; i < Events.Count; i++)
            {
                await writer.WriteAsync(Events[i].Data, Events[i].Type, stop);
                if (i == 0)
                {
                    await go;
                }
            }

            written.SetResult();
            switch (Ending)
            {
                case "stopped":
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
                    break;
                case "failed":
                    throw new RunFailedException(Message, Code);
            }
        }, new RunOptions { Dialect = Dialect });
        if (string.Equals(Ending, "stopped", StringComparison.Ordinal))
        {
            _ = StopAsync(run, written.Task);
        }

        return run;
    }

    private static async Task StopAsync(StartedRun run, Task written)
    {
        await written;
        await run.StopAsync();
    }

    private static SpellingCase Parse(JsonElement json)
    {
        Perennial.Dialects.TryGet(json.GetProperty("dialect").GetString()!, out var dialect).ShouldBeTrue();
        return new()
        {
            Dialect = dialect!,
            Events = [.. json.GetProperty("events").EnumerateArray().Select(static item => (Text(item, "type"), Text(item, "data")!))],
            Ending = Text(json, "ending")!,
            Message = Text(json, "message") ?? "",
            Code = Text(json, "code") ?? "none",
            Body = Text(json, "body")!,
            IsWhole = json.GetProperty("whole").GetBoolean(),
            Status = Text(json, "status")!,
        };
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var text) ? text.GetString() : null;
}
