using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Sqlite.Tests.Support;
using Perennial.Testing;

namespace Perennial.Sqlite.Tests;

/// <summary>One process at a time uses a file.</summary>
public sealed class OwnerTests : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly StoreFile _file = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task A_second_process_is_refused_after_its_patience()
    {
        await using var first = await ProducerProcess.StartAsync(_file.Path);

        var refusal =
            await Should.ThrowAsync<RunStoreException>(() => _file.StartAsync(configure: options => options.OpenTimeout = TimeSpan.Zero));

        refusal.Message.ShouldContain("Another process uses the file of runs");
        refusal.Message.ShouldContain(_file.Path);
        await first.UntilAsync(10);
    }

    [Fact(Timeout = Hang)]
    public async Task The_next_process_waits_until_the_one_before_has_stopped()
    {
        var time = new ManualTimeProvider();
        var before = await _file.StartAsync();
        var run = await StoreFile.CreateRunAsync(before);
        await run.AppendAsync(1, 3);

        var starting = _file.StartAsync(time: time);
        await time.WaitForTimerAsync(TimeSpan.FromMilliseconds(50), TestEnds);
        starting.IsCompleted.ShouldBeFalse();
        await before.StoppedAsync(TestEnds);
        time.Advance(TimeSpan.FromMilliseconds(50));

        (await (await StoreFile.FindAsync(await starting, run.Id)).FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);
    }

    [Fact(Timeout = Hang)]
    public async Task A_file_that_cannot_be_made_is_refused_at_once()
    {
        await using var store = StoreFile.Create(Path.Combine(_file.Path, "missing", "runs.db"));

        var refusal = await Should.ThrowAsync<RunStoreException>(() => store.StartingAsync(TestEnds));

        refusal.Message.ShouldContain("cannot be opened");
    }

    [Fact(Timeout = Hang)]
    public async Task Only_its_user_can_read_the_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes of files.");
        await _file.StartAsync();

        foreach (var path in new[] { _file.Path, _file.Path + "-wal", _file.Path + "-shm" })
        {
            if (!OperatingSystem.IsWindows())
            {
                File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, path);
            }
        }
    }
}
