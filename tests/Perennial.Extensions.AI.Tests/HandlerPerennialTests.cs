using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using Perennial.Chats.Tests.Support;
using Perennial.Gateway;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Chats.Tests;

/// <summary>The official SDKs with <see cref="ResumableStreamHandler"/>, over a Perennial server in front of a provider.</summary>
public class HandlerPerennialTests
{
    private static readonly ResumableStreamOptions Quick =
        new() { Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromMilliseconds(1) } };

    public static TheoryData<string, string> Sdks =>
        new MatrixTheoryData<string, string>(Sdk.Names.Select(row => row.Data), ["run with a dialect", "plain run", "gateway"]);

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task A_whole_answer_reads_as_from_the_provider(string sdk, string front)
    {
        await using var provider = Sdk.Provider(sdk).WithDeltas(20).Start();
        await using var server = await StartAsync(provider, front);
        using var plain = Sdk.Chat(sdk, provider.BaseAddress, new SocketsHttpHandler());
        using var chat = Sdk.Chat(sdk, Through(server.Address, provider), new ResumableStreamHandler(new SocketsHttpHandler()));

        var expected = await plain.GetStreamingResponseAsync("hello").ToListAsync().Soon();
        var updates = await chat.GetStreamingResponseAsync("hello").ToListAsync().Soon();

        ScriptedModel.TextOf(updates).ShouldBe(Sdk.Provider(sdk).WithDeltas(20).Text);
        updates.Count.ShouldBe(expected.Count);
        updates.Last(update => update.FinishReason is not null).FinishReason.ShouldBe(ChatFinishReason.Stop);
    }

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task A_line_cut_at_every_hundredth_byte_is_not_seen(string sdk, string front)
    {
        await using var provider = Sdk.Provider(sdk).WithDeltas(6).Start();
        await using var server = await StartAsync(provider, front);
        var runs = 0;
        for (var bytes = 700; bytes < 2500; bytes += 100)
        {
            var mode = bytes % 200 == 0 ? CutMode.Reset : CutMode.Close;
            await using var proxy = FaultProxy.Start(
                server.Address, FaultPlan.InOrder(FaultPlan.Cut(bytes, mode), FaultPlan.Cut(bytes + 50, mode), FaultPlan.None));
            using var chat = Sdk.Chat(sdk, Through(proxy.Address, provider), new ResumableStreamHandler(new SocketsHttpHandler(), Quick));

            var updates = await chat.GetStreamingResponseAsync("hello").ToListAsync().Soon();

            ScriptedModel.TextOf(updates).ShouldBe(Sdk.Provider(sdk).WithDeltas(6).Text, $"{sdk}, cut after {bytes}");
            provider.Prompts.Count.ShouldBe(++runs);
        }
    }

    [Theory]
    [MemberData(nameof(Sdks))]
    public async Task A_provider_that_is_cut_fails_the_answer(string sdk, string front)
    {
        await using var provider = Sdk.Provider(sdk).WithDeltas(6).CutAfter(4).Start();
        await using var server = await StartAsync(provider, front);
        using var chat = Sdk.Chat(sdk, Through(server.Address, provider), new ResumableStreamHandler(new SocketsHttpHandler(), Quick));

        await Should.ThrowAsync<Exception>(chat.GetStreamingResponseAsync("hello").ToListAsync().AsTask()).Soon();
        provider.Prompts.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("openai-chat")]
    [InlineData("ollama")]
    public async Task A_caller_that_leaves_stops_the_run_where_that_is_chosen(string sdk)
    {
        await using var provider = Sdk.Provider(sdk).WithDeltas(6).StallAfter(3).Start();
        await using var server = await StartAsync(provider, "run with a dialect");
        using var chat = Sdk.Chat(
            sdk,
            Through(server.Address, provider),
            new ResumableStreamHandler(new SocketsHttpHandler(), new ResumableStreamOptions { OnCancel = ChatCancellation.Stop }));

        await foreach (var update in chat.GetStreamingResponseAsync("hello"))
        {
            break;
        }

        await provider.WaitForIdleAsync(TestContext.Current.CancellationToken).Soon();
    }

    private static Task<ChatServer> StartAsync(ProviderServer provider, string front) => front switch
    {
        "gateway" => ChatServer.StartAsync(
            app => app.MapPerennialGateway("", provider.Address.ToString()).AllowAnonymous(),
            services: services => services.AddPerennialGateway()),
        _ => RelayServer.StartAsync(provider, hasDialect: front is "run with a dialect"),
    };

    /// <summary>
    /// The base URL of the SDK at another server. Its path is used by these tests alone, because the process remembers which URLs start a
    /// stream once, and the system gives their ports to servers of other tests later.
    /// </summary>
    private static Uri Through(Uri server, ProviderServer provider) => new(server, "/perennial" + provider.BaseAddress.AbsolutePath);
}
