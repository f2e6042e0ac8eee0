using System.Text;
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
    /// <summary>The name of the resumption of its runs.</summary>
    public const string Resumption = "answer";

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
            : await runs.StartAsync(
                (writer, stop) => AnswerAsync([question], written: 0, PauseAsync, writer, stop), new RunOptions { ResumeWith = Resumption });
        await TypedResults.Json(
            new DemoAnswer(run.Id), DemoJson.Default.DemoAnswer, statusCode: StatusCodes.Status201Created).ExecuteAsync(context);
    }

    /// <summary>Goes on with an answer that a process before has left.</summary>
    /// <exception cref="RunFailedException">The answer cannot go on.</exception>
    public async Task ResumeAsync(ResumedRun run, CancellationToken stop)
    {
        var written = new List<string>();
        await foreach (var record in run.ReadRecordedAsync(stop))
        {
            written.Add(Encoding.UTF8.GetString(record.Content.Data.Span));
        }

        if (!isStepped)
        {
            await AnswerAsync(written, written.Count, PauseAsync, run.Writer, stop);
            return;
        }

        using var steps = new TokenSteps();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var following = steps.FollowAsync(run, end.Token);
        try
        {
            await AnswerAsync(written, written.Count, steps.NextAsync, run.Writer, stop);
        }
        finally
        {
            await end.CancelAsync();
            await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
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
                    await AnswerAsync([question], written: 0, steps.NextAsync, writer, stop);
                }
            },
            new RunOptions { OnMessage = steps.AllowAsync, ResumeWith = Resumption });
    }

    private Task PauseAsync(CancellationToken stop) => Task.Delay(pause ?? PaceOfAModel, TimeProvider.System, stop);

    /// <summary>Writes an answer, or the rest of one.</summary>
    /// <param name="known">The question, and then the tokens that are written already.</param>
    /// <param name="written">How many of these are written: 0 for a new answer.</param>
    /// <param name="next">Waits before each token.</param>
    /// <param name="writer">The writer.</param>
    /// <param name="stop">Stops the answer.</param>
    private async Task AnswerAsync(
        List<string> known, int written, Func<CancellationToken, Task> next, RunWriter writer, CancellationToken stop)
    {
        string[] answer = known.Count == 0 ? [] : [known[0], .. Readme.Tokens(AnswerTo(known[0]))];
        if (known.Count == 0 || !answer.Take(known.Count).SequenceEqual(known, StringComparer.Ordinal))
        {
            throw new RunFailedException("The program that wrote this answer is gone, and this one has another text.", "producer_lost");
        }

        for (var n = written; n < answer.Length; n++)
        {
            if (n > 0)
            {
                await next(stop);
            }

            await writer.WriteAsync(answer[n], n == 0 ? "question" : "token", stop);
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
