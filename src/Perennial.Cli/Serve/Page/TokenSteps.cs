using System.Globalization;
using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Page;

/// <summary>
/// Limits an answer to the tokens that messages to its run have allowed, so that a test decides when each token is written.
/// </summary>
internal sealed class TokenSteps : IDisposable
{
    private readonly SemaphoreSlim _allowed = new(0);

    /// <summary>Allows more tokens; the message is their number.</summary>
    /// <exception cref="FormatException">The message is not a whole number.</exception>
    public Task AllowAsync(RunMessage message, CancellationToken cancellationToken)
    {
        _allowed.Release(int.Parse(message.Text, NumberStyles.None, CultureInfo.InvariantCulture));
        return Task.CompletedTask;
    }

    /// <summary>Completes when the next token may be written.</summary>
    public Task NextAsync(CancellationToken cancellationToken) => _allowed.WaitAsync(cancellationToken);

    /// <summary>Allows the tokens of the messages to a run that goes on after a restart, until the token is cancelled.</summary>
    public async Task FollowAsync(ResumedRun run, CancellationToken cancellationToken)
    {
        await foreach (var message in run.ReadMessagesAsync(cancellationToken))
        {
            await AllowAsync(message, cancellationToken);
        }
    }

    public void Dispose() => _allowed.Dispose();
}
