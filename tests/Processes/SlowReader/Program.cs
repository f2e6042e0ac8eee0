using Perennial;
using Perennial.Http;
using Perennial.Sse;

// Reads a stream, one message for each line of standard input. For each message it writes one line: the text, a tab, and the resume point
// after the message. The argument is the URL to post to, or a saved resume point to go on from.
var options = ResumePoint.TryParse(args[0], out var point)
    ? new SseTransportOptions { Endpoint = point.Endpoint, ResumeFrom = point }
    : new SseTransportOptions { Endpoint = new Uri(args[0]), Body = RequestBody.Text("prompt") };
await using var transport = new SseTransport(options);
await foreach (var message in transport.ReadAllAsync())
{
    if (await Console.In.ReadLineAsync() is null)
    {
        break;
    }

    await Console.Out.WriteAsync($"{message.Text}\t{transport.ResumePoint!.Serialize()}\n");
    await Console.Out.FlushAsync();
}
