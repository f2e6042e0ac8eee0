
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Requests;

/// <summary>Counts messages by their outcome.</summary>
internal static class ReceivedMessages
{
    public static void Count(string form, ReceiveResult result) => PerennialServerTelemetry.Messages.Add(
        1,
        new KeyValuePair<string, object?>(PerennialServerTelemetry.Form, form),
        new KeyValuePair<string, object?>(PerennialServerTelemetry.Outcome, result.Outcome switch
        {
            ReceiveOutcome.Accepted => "accepted",
            ReceiveOutcome.Repeated => "repeated",
            ReceiveOutcome.OtherMessage => "other_message",
            ReceiveOutcome.NotTaken => "not_taken",
            ReceiveOutcome.Ended => "ended",
            ReceiveOutcome.Hole => "hole",
            _ => "full",
        }));
}
