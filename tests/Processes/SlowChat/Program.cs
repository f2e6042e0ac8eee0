using Microsoft.Extensions.AI;
using Perennial;

// Reads an answer, one update for each line of standard input. For each update it writes one line: the text, a tab, and the continuation
// token after the update, in base64. The arguments are the URL to post to, and optionally a token to go on from.
using var chat = new PerennialChatClient(new Uri(args[0]));
var updates = args.Length == 1
    ? chat.GetStreamingResponseAsync("hello")
    : chat.GetStreamingResponseAsync(
        [], new ChatOptions { ContinuationToken = ResponseContinuationToken.FromBytes(Convert.FromBase64String(args[1])) });
await foreach (var update in updates)
{
    if (await Console.In.ReadLineAsync() is null)
    {
        break;
    }

    await Console.Out.WriteAsync($"{update.Text}\t{Convert.ToBase64String(update.ContinuationToken!.ToBytes().Span)}\n");
    await Console.Out.FlushAsync();
}
