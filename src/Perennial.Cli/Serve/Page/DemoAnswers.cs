using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore;
using Perennial.Cli.Demo;

namespace Perennial.Cli.Serve.Page;

/// <summary>
/// Answers a question with the section of the README whose heading shares most words with it, or with the whole README. A run begins with
/// the event <c>question</c>, so that readers who join later see it too. The events <c>token</c> are the answer.
/// </summary>
/// <param name="readme">The text of the answers.</param>
/// <param name="pause">The pause before each token, or <see langword="null"/> for the pace of a model.</param>
/// <param name="isStepped">Whether tokens wait for messages to the run instead.</param>
internal sealed class DemoAnswers(string readme, TimeSpan? pause, bool isStepped)
{
    private const int LongestQuestion = 1000;

    /// <summary>About the pace of a model.</summary>
    private static readonly TimeSpan PaceOfAModel = TimeSpan.FromMilliseconds(25);

    private readonly string[] _sections =
        [.. readme.Split("\n## ", StringSplitOptions.None).Skip(1).Select(section => "## " + section.TrimEnd() + "\n")];

    /// <summary>Starts a run for the question in the body, and returns its id.</summary>
    public async Task StartAsync(HttpContext context, StreamRuns runs)
    {
        var question = await ReadAsync(context.Request);
        if (string.IsNullOrWhiteSpace(question) || question.Length > LongestQuestion)
        {
            var problem = $"The question must have 1 to {LongestQuestion} characters.";
            await TypedResults.Problem(problem, statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
            return;
        }

        var run = isStepped
            ? await StartSteppedAsync(question, runs)
            : await runs.StartAsync((writer, stop) => AnswerAsync(question, PauseAsync, writer, stop));
        await TypedResults.Json(
            new DemoAnswer(run.Id), DemoJson.Default.DemoAnswer, statusCode: StatusCodes.Status201Created).ExecuteAsync(context);
    }

    private static async Task<string?> ReadAsync(HttpRequest request)
    {
        try
        {
            return (await JsonSerializer.DeserializeAsync(request.Body, DemoJson.Default.DemoQuestion, request.HttpContext.RequestAborted))?.Text;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private Task<StartedRun> StartSteppedAsync(string question, StreamRuns runs)
    {
        var steps = new TokenSteps();
        return runs.StartAsync(
            async (writer, stop) =>
            {
                using (steps)
                {
                    await AnswerAsync(question, steps.NextAsync, writer, stop);
                }
            },
            new RunOptions { OnMessage = steps.AllowAsync });
    }

    private Task PauseAsync(CancellationToken stop) => Task.Delay(pause ?? PaceOfAModel, TimeProvider.System, stop);

    private async Task AnswerAsync(string question, Func<CancellationToken, Task> next, RunWriter writer, CancellationToken stop)
    {
        await writer.WriteAsync(question, "question", stop);
        foreach (var token in Readme.Tokens(AnswerTo(question)))
        {
            await next(stop);
            await writer.WriteAsync(token, "token", stop);
        }
    }

    private string AnswerTo(string question)
    {
        var words = Words(question);
        var (best, most) = (readme, 0);
        foreach (var section in _sections)
        {
            var heading = Words(section.Split('\n', 2)[0]);
            var shared = heading.Count(words.Contains);
            if (shared > most)
            {
                (best, most) = (section, shared);
            }
        }

        return best;
    }

    /// <summary>Splits a text into words, without short ones, which do not depend on the subject.</summary>
    private static HashSet<string> Words(string text) => new(
        text.Split([.. " \t\n,.;:?!'\"#"], StringSplitOptions.RemoveEmptyEntries).Where(word => word.Length > 3),
        StringComparer.OrdinalIgnoreCase);
}
