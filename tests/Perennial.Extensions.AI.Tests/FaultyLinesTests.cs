using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using Perennial.AspNetCore;
using Perennial.Chats.Tests.Support;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Chats.Tests;

/// <summary>
/// 200 answers of the four official SDKs, with faults between every two parties: the provider ends in mid-answer, resets, fails or does not
/// answer, and the line of the caller is cut at random bytes. Each answer must be whole or an exception, and no prompt may be paid twice.
/// </summary>
public sealed class FaultyLinesTests(ITestOutputHelper output)
{
    private const int Answers = 200;
    private const int Deltas = 40;
    private const int Seed = 1611;

    private static readonly string[] Names = [.. Sdk.Names.Select(row => row.Data)];
    private static readonly ReconnectOptions Quick =
        new() { InitialDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(5) };

    [Fact]
    public async Task Under_PerennialChatClient_no_answer_is_half_and_no_prompt_is_paid_twice()
    {
        var models = new ConcurrentDictionary<string, IChatClient>(StringComparer.Ordinal);
        await using var server = await ChatServer.StartAsync(app =>
            app.MapPost("/chat", (ChatRequest r, StreamRuns runs) => runs.Start(models[r.Messages[0].Text], r.Messages)));
        await using var proxy = FaultProxy.Start(server.Address, Cuts.PlanFor);
        using var client = new PerennialChatClient(new PerennialChatClientOptions
        {
            Endpoint = new Uri(proxy.Address, "/chat"),
            CreateTransport = Connect,
        });

        var tally = await TallyAsync(async (number, sdk, provider) =>
        {
            using var model = models[number] = Sdk.Chat(sdk, provider.BaseAddress, new ResumableStreamHandler(new SocketsHttpHandler()));
            return ScriptedModel.TextOf(await client.GetStreamingResponseAsync(number).ToListAsync());
        });

        Report("PerennialChatClient", tally, proxy);
        (tally.Quiet, tally.PaidTwice).ShouldBe((0, 0));
        tally.Whole.ShouldBeGreaterThan(0);
        proxy.Cuts.ShouldBeGreaterThan(Answers / 4);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Under_the_handler_no_answer_is_half_and_no_prompt_is_paid_twice(bool hasDialect)
    {
        var providers = new ConcurrentDictionary<string, ProviderServer>(StringComparer.Ordinal);
        await using var server = await RelayServer.StartAsync(number => providers[number], hasDialect);
        await using var proxy = FaultProxy.Start(server.Address, Cuts.PlanFor);
        using var handler = new ResumableStreamHandler(new SocketsHttpHandler(), new ResumableStreamOptions { Reconnect = Quick });

        var tally = await TallyAsync(async (number, sdk, provider) =>
        {
            providers[number] = provider;
            using var chat = Sdk.Chat(sdk, new Uri(proxy.Address, number + provider.BaseAddress.AbsolutePath), handler);
            return ScriptedModel.TextOf(await chat.GetStreamingResponseAsync("hello").ToListAsync());
        });

        Report($"ResumableStreamHandler, {(hasDialect ? "runs with a dialect" : "plain runs")}", tally, proxy);
        (tally.Quiet, tally.PaidTwice).ShouldBe((0, 0));
        tally.Whole.ShouldBeGreaterThan(0);
        proxy.Cuts.ShouldBeGreaterThan(Answers / 4);
    }

    [Fact]
    public async Task Under_the_handler_without_a_Perennial_server_no_answer_is_half_and_no_prompt_is_paid_twice()
    {
        using var handler = new ResumableStreamHandler(new SocketsHttpHandler());

        var tally = await TallyDirectAsync(handler);

        Report("ResumableStreamHandler, provider alone", tally);
        (tally.Quiet, tally.PaidTwice).ShouldBe((0, 0));
        tally.Whole.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Without_Perennial_the_same_faults_give_halves_that_look_whole_and_prompts_paid_twice()
    {
        using var handler = new SocketsHttpHandler();

        var tally = await TallyDirectAsync(handler);

        Report("without Perennial", tally);
        tally.Quiet.ShouldBeGreaterThan(0);
        tally.PaidTwice.ShouldBeGreaterThan(0);
    }

    /// <summary>Cuts each connection of the caller at a random byte.</summary>
    private static RandomFaults Cuts => new() { Seed = Seed, MaxBytes = 9000, MaxPieceBytes = 700 };

    private static Perennial.Sse.SseTransport Connect(ChatTransportRequest request) => new(new Perennial.Sse.SseTransportOptions
    {
        Endpoint = request.Endpoint,
        Body = request.Body,
        ResumeFrom = request.ResumeFrom,
        Classify = PerennialChatClientOptions.EndsOnlyByProtocol,
        Reconnect = Quick,
    });

    private static Task<Tally> TallyDirectAsync(HttpMessageHandler handler) => TallyAsync(async (number, sdk, provider) =>
    {
        var faults = Cuts with { Seed = Seed + int.Parse(number, CultureInfo.InvariantCulture) };
        await using var proxy = FaultProxy.Start(provider.Address, faults.PlanFor);
        using var chat = Sdk.Chat(sdk, new Uri(proxy.Address, $"alone-{number}{provider.BaseAddress.AbsolutePath}"), handler);
        return ScriptedModel.TextOf(await chat.GetStreamingResponseAsync("hello").ToListAsync());
    });

    private static async Task<Tally> TallyAsync(Func<string, string, ProviderServer, Task<string>> ask)
    {
        var tally = new Tally();
        var random = new Random(Seed);
        for (var i = 0; i < Answers; i++)
        {
            var sdk = Names[i % Names.Length];
            var sound = Sdk.Provider(sdk).WithDeltas(Deltas);
            var script = Faulty(sound, random);
            tally.Sound += ReferenceEquals(script, sound) ? 1 : 0;
            await using var provider = script.Start();
            string? text = null;
            try
            {
                text = await ask(i.ToString(CultureInfo.InvariantCulture), sdk, provider).Soon();
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                tally.Exceptions++;
            }

            var isWhole = string.Equals(text, script.Text, StringComparison.Ordinal);
            tally.Whole += isWhole ? 1 : 0;
            tally.Quiet += text is not null && !isWhole ? 1 : 0;
            tally.PaidTwice += provider.Prompts.Count > 1 ? 1 : 0;
        }

        return tally;
    }

    /// <summary>Half of the providers go wrong in one of five ways.</summary>
    private static ScriptedProvider Faulty(ScriptedProvider whole, Random random)
    {
        var events = 1 + random.Next(whole.EventCount - 1);
        return random.Next(10) switch
        {
            0 => whole.CutAfter(events),
            1 => whole.CutInside(events),
            2 => whole.ResetAfter(events),
            3 => whole.ResetUnanswered(),
            4 => whole.FailAfter(events),
            _ => whole,
        };
    }

    private void Report(string what, Tally tally, FaultProxy? proxy = null) => output.WriteLine(
        $"{what}: {Answers} answers, {tally.Sound} of them whole at the provider; {tally.Whole} whole, {tally.Exceptions} exceptions, {tally.Quiet} quiet halves, {tally.PaidTwice} prompts paid twice"
        + (proxy is null ? "" : $", {proxy.Cuts} cuts on {proxy.Connections} connections of the caller"));

    private sealed class Tally
    {
        public int Sound { get; set; }

        public int Whole { get; set; }

        public int Exceptions { get; set; }

        public int Quiet { get; set; }

        public int PaidTwice { get; set; }
    }
}
