
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Records the messages of one socket, and waits while they come faster than the server or the producer accepts them.</summary>
internal sealed class PatientInbox(RunLog log, MessageRate rate, TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>Waits until one more message is allowed. No message is being recorded meanwhile.</summary>
    /// <exception cref="OperationCanceledException">The session ends.</exception>
    public ValueTask WaitForTurnAsync(CancellationToken leave) => rate.TakeAsync(log.Epoch, leave);

    /// <summary>Records a message. The outcome is never <see cref="ReceiveOutcome.Full"/>.</summary>
    /// <exception cref="OperationCanceledException">The session ends.</exception>
    public async ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken leave)
    {
        var wait = FirstWait;
        while (true)
        {
            // Recording is not cancelled when the client disconnects: otherwise its outcome would be unknown.
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
