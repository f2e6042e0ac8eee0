
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Records the messages of one socket, and waits while they come too fast for the server or for the producer.</summary>
internal sealed class PatientInbox(RunLog log, MessageRate rate, TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>Completes when one more message may come. Nothing is being recorded meanwhile.</summary>
    /// <exception cref="OperationCanceledException">It is over.</exception>
    public ValueTask WaitForTurnAsync(CancellationToken leave) => rate.TakeAsync(log.Epoch, leave);

    /// <summary>Records a message. What the result says is never <see cref="ReceiveOutcome.Full"/>.</summary>
    /// <exception cref="OperationCanceledException">It is over.</exception>
    public async ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken leave)
    {
        var wait = FirstWait;
        while (true)
        {
            // A message that is being recorded when the client goes is recorded: cancelling would leave its fate open.
            var result = await log.ReceiveAsync(message, CancellationToken.None);
            if (result.Outcome != ReceiveOutcome.Full)
            {
                return result;
            }

            await Task.Delay(wait, time, leave);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }
}
