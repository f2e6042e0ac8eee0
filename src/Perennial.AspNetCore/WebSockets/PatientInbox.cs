using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Records messages, and waits while too many of them wait for the producer.</summary>
internal static class PatientInbox
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>Records a message. What the result says is never <see cref="ReceiveOutcome.Full"/>.</summary>
    /// <exception cref="OperationCanceledException">It is over.</exception>
    public static async ValueTask<ReceiveResult> ReceiveAsync(IRunLog log, RunMessage message, TimeProvider time, CancellationToken leave)
    {
        var wait = FirstWait;
        while (true)
        {
            // A message that is being recorded when the client goes is recorded: cancelling would leave its fate open.
            var result = await log.ReceiveAsync(message, CancellationToken.None);
            if (result.Outcome != ReceiveOutcome.Full)
                return result;
            await Task.Delay(wait, time, leave);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }
}
