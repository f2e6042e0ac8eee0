using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;

namespace Perennial.Samples.Tests;

public class AnswerTests
{
    [Fact]
    public async Task An_answer_that_was_cut_is_not_shown_as_whole()
    {
        await using var provider = ScriptedProvider.Anthropic.CutAfter(5).Start();

        var answer = await AskAsync(provider.Endpoint, provider.SampleRequest);

        answer.ShouldBe("The answer is not complete.");
        provider.Prompts.Count.ShouldBe(1);                      // the prompt was not sent again
    }

    [Fact]
    public async Task An_error_of_the_provider_is_explained()
    {
        await using var provider = ScriptedProvider.Anthropic.FailAfter(4, "overloaded_error", "Overloaded").Start();

        (await AskAsync(provider.Endpoint, provider.SampleRequest)).ShouldBe("Overloaded (overloaded_error)");
    }

    [Fact]
    public async Task A_refusal_is_explained()
    {
        await using var provider = ScriptedProvider.Anthropic.Refuse(429, "rate_limit_error", "Too many requests").Start();

        (await AskAsync(provider.Endpoint, provider.SampleRequest)).ShouldBe("Too many requests (rate_limit_error)");
        provider.Prompts.ShouldBeEmpty();                        // what was refused is not paid
    }

    // The code under test: an application's own.
    private static async Task<string> AskAsync(Uri endpoint, string body)
    {
        await using var transport = new SseTransport(new SseTransportOptions
        {
            Endpoint = endpoint,
            Body = RequestBody.Text(body, "application/json"),
        });
        try
        {
            await foreach (var _ in transport.ReadAllAsync(TestContext.Current.CancellationToken))
            {
            }

            return "Completed";
        }
        catch (TransportException e) when (e.Code == TransportErrorCode.Interrupted)
        {
            return "The answer is not complete.";
        }
        catch (TransportException e)
        {
            return $"{e.ServerMessage} ({e.ServerCode})";
        }
    }
}
