using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>
/// Readers that ask and never read: they cost nobody anything, and are cut at their limit. Alone in the process, whose memory is looked at.
/// </summary>
[Collection(nameof(DeafReaderTests))]
[CollectionDefinition(nameof(DeafReaderTests), DisableParallelization = true)]
public class DeafReaderTests
{
    private const int Readers = 24;
    private const int Blocks = 200;
    private const int BlockBytes = 64 * 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(ReaderForm.Sse)]
    [InlineData(ReaderForm.JsonLines)]
    public async Task They_are_cut_at_their_limit_and_slow_nobody(ReaderForm form)
    {
        var clock = new ManualTimeProvider();
        using var left = new SemaphoreSlim(0);
        await using var server = await RunServer.StartAsync(
            options => options.ReaderStallLimit = Limit, time: clock, map: app => app.Use(async (context, next) =>
        {
            await next(context);
            left.Release();
        }));
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await go.Task;
            for (var n = 0; n < Blocks; n++)
            {
                await writer.WriteAsync(new string('x', BlockBytes), cancellationToken: stop);
            }
        });
        var deaf = await Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => AskAsync(server, run, form)));

        go.SetResult();
        (await run.Completion).ShouldBe(RunStatus.Completed);
        (await server.ReadAsync(run, accept: form.Accept())).ShouldContain("perennial.completed");
        await left.WaitAsync(TestEnds);

        // Each waits with its heartbeat and its limit; the store waits to forget the run.
        await clock.WaitForTimersAsync(2 * Readers + 1, TestEnds);
        var held = GC.GetTotalMemory(forceFullCollection: true);
        held.ShouldBeLessThan((long)Readers * Blocks * BlockBytes / 2, "a reader holds a cursor and no events");

        for (var cut = 0; cut < Readers; cut++)
        {
            var leaving = left.WaitAsync(TestEnds);
            while (!leaving.IsCompleted)
            {
                await Task.WhenAny(leaving, clock.WaitForTimerAsync(Limit, TestEnds));
                if (!leaving.IsCompleted)
                {
                    clock.Advance(Limit);
                }
            }
        }

        foreach (var socket in deaf)
        {
            (await ReadRestAsync(socket)).ShouldNotContain("perennial.completed");
            socket.Dispose();
        }
    }

    private static async Task<TcpClient> AskAsync(RunServer server, StreamRun run, ReaderForm form)
    {
        var socket = new TcpClient { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(server.Address.Host, server.Address.Port, TestEnds);
        var request = $"GET {RunServer.PathOf(run)} HTTP/1.1\r\nHost: test\r\nAccept: {form.Accept()}\r\n\r\n";
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestEnds);
        return socket;
    }

    private static async Task<string> ReadRestAsync(TcpClient socket)
    {
        var rest = new StringBuilder();
        var block = new byte[BlockBytes];
        try
        {
            int count;
            while ((count = await socket.GetStream().ReadAsync(block, TestEnds)) > 0)
            {
                rest.Append(Encoding.UTF8.GetString(block, 0, count));
            }
        }
        catch (IOException)
        {
            // It was reset.
        }

        return rest.ToString();
    }
}
