using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>Records new runs in the store, under the key of the request that starts them. Safe from any thread.</summary>
internal sealed class RunRecorder(RunStore store, ILogger logger)
{
    private const int RunIdBytes = 16;
    private const int EpochLength = 8;
    private const string EpochAlphabet = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>Records a run.</summary>
    /// <exception cref="RunStoreException">The store did not record it.</exception>
    /// <exception cref="NotSupportedException">The store does not keep an option of the run.</exception>
    public async Task<RunLog> RecordAsync(RunOptions? options)
    {
        var epoch = RandomNumberGenerator.GetString(EpochAlphabet, EpochLength);
        var start = StartUnderWay.Take();
        try
        {
            var run = NewRun(epoch, options, start?.Key);
            var log = await store.CreateAsync(run, CancellationToken.None).ConfigureAwait(false);
            start?.Record();
            await RequireKeptAsync(log, run).ConfigureAwait(false);
            return log;
        }
        catch (Exception e)
        {
            start?.GiveBack();
            Log.NotRecorded(logger, epoch, e);
            throw;
        }
    }

    private static NewRun NewRun(string epoch, RunOptions? options, StartKey? start) =>
        new NewRun
        {
            Id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RunIdBytes)),
            Epoch = epoch,
            TakesMessages = options?.OnMessage is not null,
            Retention = options?.Retention,
            Dialect = options?.Dialect?.Name,
            Start = start,
            Description = options is null ? RunDescription.None : DescriptionRules.Of(options),
        };

    private async ValueTask RequireKeptAsync(RunLog log, NewRun run)
    {
        var isDialectKept = string.Equals(log.Dialect, run.Dialect, StringComparison.Ordinal);
        if (isDialectKept && log.Description.Equals(run.Description))
        {
            return;
        }

        await log.CloseAsync(
            RunEnd.Failed(RunFailedException.DefaultMessage, RunFailedException.DefaultCode), CancellationToken.None).ConfigureAwait(false);
        throw new NotSupportedException(isDialectKept
            ? $"{store.GetType().Name} does not keep owners, keys and metadata of runs: its RunLog does not override Description."
            : $"{store.GetType().Name} does not keep the dialects of runs: its RunLog does not override Dialect.");
    }
}
