using Microsoft.Extensions.AI;
using Perennial.Chats.Tests.Support;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Chats.Tests;

/// <summary>The official SDKs with <see cref="ResumableStreamHandler"/>, over providers that are not Perennial.</summary>
public class HandlerElsewhereTests
{
    public static TheoryData<string> Sdks => Sdk.Names;

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task A_whole_answer_passes_unchanged(string sdk)
    {
        await using var provider = Sdk.Provider(sdk).WithDeltas(20).Start();
        using var plain = Sdk.Chat(sdk, provider.BaseAddress, new SocketsHttpHandler());
        using var chat = Sdk.Chat(sdk, provider.BaseAddress, new ResumableStreamHandler(new SocketsHttpHandler()));

        var expected = await plain.GetStreamingResponseAsync("hello").ToListAsync().Soon();
        var updates = await chat.GetStreamingResponseAsync("hello").ToListAsync().Soon();

        ScriptedModel.TextOf(updates).ShouldBe(Sdk.Provider(sdk).WithDeltas(20).Text);
        updates.Count.ShouldBe(expected.Count);
        updates.Last(update => update.FinishReason is not null).FinishReason.ShouldBe(ChatFinishReason.Stop);
    }

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task An_answer_that_is_not_streamed_passes_unchanged(string sdk)
    {
        await using var provider = Sdk.Provider(sdk).Start();
        using var chat = Sdk.Chat(sdk, provider.BaseAddress, new ResumableStreamHandler(new SocketsHttpHandler()));

        (await chat.GetResponseAsync("hello").Soon()).Text.ShouldBe(Sdk.Provider(sdk).Text);
    }

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task A_clean_end_in_mid_answer_throws_at_every_event(string sdk)
    {
        var whole = Sdk.Provider(sdk).WithDeltas(4);
        for (var events = 0; events < whole.EventCount; events++)
        {
            await ShouldThrowAsync(sdk, whole.CutAfter(events), $"cut after {events}");
            await ShouldThrowAsync(sdk, whole.CutInside(events), $"cut inside {events}");
        }
    }

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task A_reset_in_mid_answer_throws_and_the_prompt_is_paid_once(string sdk)
    {
        var whole = Sdk.Provider(sdk).WithDeltas(4);
        for (var events = 1; events < whole.EventCount; events++)
        {
            await ShouldThrowAsync(sdk, whole.ResetAfter(events), $"reset after {events}");
        }
    }

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task A_reset_before_the_answer_throws_and_the_prompt_is_paid_once(string sdk) =>
        await ShouldThrowAsync(sdk, Sdk.Provider(sdk).ResetUnanswered(), "reset unanswered");

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task An_error_in_mid_answer_throws(string sdk) =>
        await ShouldThrowAsync(sdk, Sdk.Provider(sdk).WithDeltas(4).FailAfter(3), "error after 3");

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task A_refusal_reaches_the_sdk_which_repeats_it_where_it_does_so(string sdk)
    {
        await using var provider =
            ProviderServer.Start(Sdk.Provider(sdk).Refuse(401, "invalid_api_key", "Who are you?"), Sdk.Provider(sdk));
        using var chat = Sdk.Chat(sdk, provider.BaseAddress, new ResumableStreamHandler(new SocketsHttpHandler()));

        var thrown = await Should.ThrowAsync<Exception>(chat.GetStreamingResponseAsync("hello").ToListAsync().AsTask()).Soon();

        thrown.ShouldNotBeOfType<TransportException>();
        provider.Prompts.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_the_sdks_own_failure()
    {
        await using var proxy = FaultProxy.Start(new Uri("http://127.0.0.1:9/"));
        proxy.Refusing = true;
        using var http = new HttpClient(new ResumableStreamHandler(new SocketsHttpHandler()));

        var thrown = await Should.ThrowAsync<HttpRequestException>(
            http.PostAsync(proxy.Address, new StringContent("{}", null, "application/json"))).Soon();

        thrown.HttpRequestError.ShouldBe(HttpRequestError.ConnectionError);
    }

    private static async Task ShouldThrowAsync(string sdk, ScriptedProvider script, string what)
    {
        await using var provider = script.Start();
        using var chat = Sdk.Chat(sdk, provider.BaseAddress, new ResumableStreamHandler(new SocketsHttpHandler()));
        var updates = new List<ChatResponseUpdate>();
        Exception? thrown = null;
        try
        {
            await foreach (var update in chat.GetStreamingResponseAsync("hello", cancellationToken: TestContext.Current.CancellationToken))
            {
                updates.Add(update);
            }
        }
        catch (Exception e)
        {
            thrown = e;
        }

        provider.Prompts.Count.ShouldBe(1, what);
        thrown.ShouldNotBeNull($"{sdk}, {what}: {updates.Count} updates and quiet success");
    }
}
