using System.Text;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>A stream is never silent for longer than it says.</summary>
public class HeartbeatTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(ReaderForm.Sse, ":\n")]
    [InlineData(ReaderForm.JsonLines, "{\"type\":\"perennial.heartbeat\"}\n")]
    public async Task It_comes_after_so_long_a_silence_counted_from_the_last_event(ReaderForm form, string heartbeat)
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(time: clock);
        var (go, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await go.Task;
            await writer.WriteAsync("event", cancellationToken: stop);
            await end.Task;
        });
        using var response = await server.OpenAsync(run, accept: form.Accept());
        await using var stream = await response.Content.ReadAsStreamAsync(TestEnds);

        (await ReadAsync(heartbeat.Length)).ShouldBe(heartbeat, "the first byte is promised at once");
        await clock.WaitForTimerAsync(Interval, TestEnds);
        clock.Advance(Interval);
        (await ReadAsync(heartbeat.Length)).ShouldBe(heartbeat);
        await clock.WaitForTimerAsync(Interval, TestEnds);
        clock.Advance(TimeSpan.FromSeconds(10));
        go.SetResult();
        var line = form == ReaderForm.Sse ? $"id: {run.Epoch}-1\ndata: event\n\n" : $$"""{"id":"{{run.Epoch}}-1","data":"event"}""" + "\n";
        (await ReadAsync(line.Length)).ShouldBe(line);

        // Five seconds on, the timer is due and finds that the silence is five seconds old.
        clock.Advance(TimeSpan.FromSeconds(5));
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(10), TestEnds);
        clock.Advance(TimeSpan.FromSeconds(10));
        (await ReadAsync(heartbeat.Length)).ShouldBe(heartbeat);
        end.SetResult();
        using var reader = new StreamReader(stream);
        (await reader.ReadToEndAsync(TestEnds)).ShouldNotContain(heartbeat);

        async Task<string> ReadAsync(int length)
        {
            var bytes = new byte[length];
            await stream.ReadExactlyAsync(bytes, TestEnds);
            return Encoding.UTF8.GetString(bytes);
        }
    }
}
