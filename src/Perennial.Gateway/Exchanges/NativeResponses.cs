using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Diagnostics;
using Perennial.Gateway.Upstream;
using Perennial.Wire;

namespace Perennial.Gateway.Exchanges;

/// <summary>
/// OpenAI's own way to resume: answers <c>GET …/responses/{id}?stream=true&amp;starting_after=N</c> and <c>POST
/// …/responses/{id}/cancel</c> for the
/// responses that this process recorded. Others are requests to the upstream.
/// </summary>
internal sealed class NativeResponses(StreamRuns runs, RunNames names, RunReading reading)
{
    private const int Block = 64 * 1024;

    /// <summary>Answers a request for a recorded response. Returns false if it is another request.</summary>
    public async ValueTask<bool> TryAnswerAsync(HttpContext context, GatewayUpstream upstream)
    {
        var segments = RequestedPath.Of(context).Split('/');
        var isCancel = HttpMethods.IsPost(context.Request.Method) && segments is [.., "responses", _, "cancel"];
        var isResume = HttpMethods.IsGet(context.Request.Method) && segments is [.., "responses", _]
            && string.Equals(context.Request.Query["stream"], "true", StringComparison.OrdinalIgnoreCase);
        var id = isCancel ? segments[^2] : isResume ? segments[^1] : null;
        if (id is null || names.Find(context, id) is not { } runId || await runs.FindAsync(runId, context.RequestAborted) is not { } run)
        {
            return false;
        }

        if (isCancel)
        {
            return await TryCancelAsync(context, run, id);
        }

        GatewayTelemetry.CountResumed(upstream.Address.Name, Dialects.OpenAIResponses.Name);
        var after = long.TryParse(context.Request.Query["starting_after"], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new RunEventId(run.Epoch, await PlaceAfterAsync(run.Events, number, context.RequestAborted)).ToString()
            : "";
        await reading.ReadAsync(context, run.Events, after, isFirst: false);
        return true;
    }

    /// <summary>Stops the run, which closes the connection to the provider. A response that has ended is a request to the
    /// upstream.</summary>
    private static async ValueTask<bool> TryCancelAsync(HttpContext context, StreamRun run, string id)
    {
        if (await run.GetStatusAsync(context.RequestAborted) != RunStatus.Running || await run.StopAsync(context.RequestAborted) != RunStatus.Stopped)
        {
            return false;
        }

        context.Response.ContentType = MediaTypes.Json;
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteString("id"u8, id);
        writer.WriteString("object"u8, "response"u8);
        writer.WriteString("status"u8, "cancelled"u8);
        writer.WriteEndObject();
        return true;
    }

    /// <summary>Finds the last record whose event has at most a sequence number.</summary>
    private static async ValueTask<long> PlaceAfterAsync(RunLog log, long number, CancellationToken cancellationToken)
    {
        for (var place = 0L; ;)
        {
            var slice = await log.ReadAsync(place, Block, cancellationToken);
            foreach (var record in slice.Records.ToArray())
            {
                var isBefore =
                    DialectJson.ValueOf(record.Content.Data.Span, "sequence_number"u8) is not { ValueKind: JsonValueKind.Number } value
                    || !value.TryGetInt64(out var own) || own <= number;
                if (EventNames.IsReserved(record.Content.EventType) ? record.Sequence > 1 : !isBefore)
                {
                    return place;
                }

                place = record.Sequence;
            }

            if (slice.Records.IsEmpty)
            {
                return place;
            }
        }
    }
}
