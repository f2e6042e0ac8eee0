using System.Text.Json;
using Perennial.Testing;

namespace Perennial.Tests.WebSockets.PerennialV1;

/// <summary>The server's end of a WebSocket that speaks perennial.v1, in the hands of a script.</summary>
internal sealed class PerennialSocket(ServerSocket socket)
{
    public const string Completed = """{"id":"e-99","type":"perennial.completed","data":"[DONE]"}""";

    private static readonly (string, string)[] Announcement =
        [("Sec-WebSocket-Protocol", "perennial.v1"), ("Perennial-Protocol", "1"), ("Perennial-Heartbeat", "15")];

    public ServerSocket Frames { get; } = socket;

    /// <summary>The script of an exchange that upgrades, says hello, runs a script, and ends the connection by FIN.</summary>
    public static Func<ScriptedExchange, Task> Script(Func<PerennialSocket, Task> script) =>
        ServerSocket.Script(
            async socket =>
            {
                var perennial = new PerennialSocket(socket);
                await perennial.SayAsync("""{"type":"perennial.hello","data":{"heartbeat":15,"cursor":"e-0"}}""");
                await script(perennial);
            },
            Announcement);

    /// <summary>A script that says these messages and ends the connection by FIN.</summary>
    public static Func<ScriptedExchange, Task> Says(params string[] messages) => Script(socket => socket.SayAsync(messages));

    /// <summary>A script that says these messages, and then is silent until the client says goodbye.</summary>
    public static Func<ScriptedExchange, Task> SaysAndWaits(params string[] messages) => Script(async socket =>
    {
        await socket.SayAsync(messages);
        await socket.WaitForGoodbyeAsync();
    });

    public static string Event(int number) => $$"""{"id":"e-{{number}}","data":"{{number}}"}""";

    public Task SayAsync(params string[] messages) => Frames.SendAsync([.. messages.Select(Frame.OfText)]);

    public Task AcknowledgeAsync(long received) => SayAsync($$$"""{"type":"perennial.ack","data":{"received":{{{received}}}}}""");

    public Task RefuseAsync(long number, string code) =>
        SayAsync($$$"""{"type":"perennial.refused","data":{"number":{{{number}}},"code":"{{{code}}}","message":"No."}}""");

    /// <summary>The client's next message; <see langword="null"/> where it says goodbye, which is answered, or is gone.</summary>
    public async Task<Said?> HearAsync()
    {
        while (await Frames.ReceiveAsync() is { } frame)
        {
            switch (frame.Opcode)
            {
                case 1:
                    return Said.Parse(frame.Text);
                case 8:
                    await Frames.SendAsync(Frame.Close(frame.CloseCode));
                    return null;
                case 9:
                    await Frames.SendAsync(Frame.Pong());
                    break;
            }
        }

        return null;
    }

    /// <summary>Hears the client name itself, and answers how much is received of it.</summary>
    public async Task<Said> MeetAsync(long received)
    {
        var sender = (await HearAsync())!;
        sender.Type.ShouldBe("perennial.sender");
        await AcknowledgeAsync(received);
        return sender;
    }

    /// <summary>Hears so many messages.</summary>
    public async Task<List<Said>> HearSendsAsync(int count)
    {
        List<Said> said = [];
        while (said.Count < count)
        {
            said.Add((await HearAsync())!);
        }

        said.ShouldAllBe(static one => one.Type == "perennial.send");
        return said;
    }

    public async Task WaitForGoodbyeAsync()
    {
        while (await HearAsync() is not null)
        {
        }
    }
}

/// <summary>One message of the client's.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Number">Of a send.</param>
/// <param name="Sender">The id in <c>perennial.sender</c>.</param>
/// <param name="Next">The number in <c>perennial.sender</c>.</param>
/// <param name="Text">The payload as text.</param>
/// <param name="Json">All of it.</param>
internal sealed record Said(string Type, long Number, string? Sender, long Next, string? Text, string Json)
{
    public static Said Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var type = root.GetProperty("type").GetString()!;
        return type is "perennial.sender"
            ? new Said(
                type,
                0,
                root.GetProperty("data").GetProperty("id").GetString(),
                root.GetProperty("data").GetProperty("next").GetInt64(),
                null,
                json)
            : new Said(
                type,
                root.TryGetProperty("number", out var number) ? number.GetInt64() : 0,
                null,
                0,
                root.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.String ? data.GetString() : null,
                json);
    }
}
