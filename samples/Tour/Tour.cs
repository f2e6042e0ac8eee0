using System.Net.Http.Headers;
using System.Text.Json.Serialization;
using Perennial;
using Perennial.Http;
using Perennial.Sse;

public static class Tour
{
    public static async Task ReadAnswerAsync(Func<bool, ValueTask<string>> getToken, CancellationToken ct)
    {
        await using var transport = new SseTransport(new SseTransportOptions
        {
            Endpoint = new Uri("https://api.example.com/chat"),
            Body = RequestBody.Json(new Prompt("Why is the sky blue?"), TourJson.Default.Prompt),   // makes it a POST
            ConfigureRequest = async (request, _) =>                                                // once an attempt
            {
                var isRejected = request.Options.TryGetValue(HttpTransportOptions.CredentialsRejected, out var rejected) && rejected;
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await getToken(isRejected));
            },
            Reconnect = new ReconnectOptions { MaxAttempts = 10 },
        });

        transport.Reconnecting += (_, e) => Console.Error.WriteLine($"Attempt {e.Attempt} in {e.Delay}.");
        transport.GapDetected += (_, e) => Console.Error.WriteLine($"Something may be missing: {e.Reason}.");

        await foreach (Token? token in transport.ReadJsonAsync(TourJson.Default.Token, ct))             // or ReadAllAsync, or MessageReceived
        {
            Console.Write(token?.Text);
        }

        Console.WriteLine($"{transport.GetMetrics().ReconnectAttempts} reconnects, ended as {(await transport.Completion).Reason}.");
    }
}

public sealed record Prompt(string Text);

public sealed record Token(string Text);

[JsonSerializable(typeof(Prompt))]
[JsonSerializable(typeof(Token))]
internal sealed partial class TourJson : JsonSerializerContext;
