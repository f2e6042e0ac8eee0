using Microsoft.Extensions.Logging;
using Perennial.Http;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Diagnostics;

public class LogsTests
{
    private const string Secret = "hunter2";

    [Fact]
    public async Task A_session_is_told_in_levels()
    {
        var logs = new LogSink();
        await using var server = ScriptedServer.Start(
            static async exchange =>
            {
                await exchange.StartEventStreamAsync();
                await exchange.WriteChunkAsync(EventStreams.Events(1, 2));
                await exchange.ResetAsync();
            },
            static exchange => exchange.RespondAsync(503),
            static exchange => exchange.RespondAsync(404));
        await using var transport = server.Transport(services: new TransportServices { LoggerFactory = logs });

        await transport.ReadAllAsync().TextsAsync().Soon().ShouldThrowAsync<TransportException>();
        await transport.DisposeAsync().Soon();

        logs.At(LogLevel.Information).Select(static line => line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..]).ShouldBe(
            ["Idle -> Connecting", "Connecting -> Connected", "Connected -> Reconnecting", "Reconnecting -> Failed", "Failed -> Closed"]);
        logs.At(LogLevel.Warning).Count().ShouldBe(2);
        logs.At(LogLevel.Warning).ShouldAllBe(static line => line.Contains("attempt"));
        var failed = logs.Lines.Single(static line => line.Level == LogLevel.Error);
        failed.Exception.ShouldBeOfType<TransportException>().HttpStatus.ShouldBe(System.Net.HttpStatusCode.NotFound);
        logs.At(LogLevel.Debug).Count().ShouldBe(1);
        logs.Lines.ShouldAllBe(line => line.Text.Contains(transport.Id));
    }

    public static TheoryData<string, Func<ScriptedExchange, Task>> Endings { get; } = new()
    {
        { "completed", static exchange => exchange.StreamAsync(1, 1) },
        { "refused", static exchange => exchange.RespondAsync(401, Secret, ("WWW-Authenticate", Secret)) },
        { "failed by the server", static exchange => Say(exchange, $"event: perennial.failed\ndata: {{\"error\":{{\"message\":\"{Secret}\",\"code\":\"boom\"}}}}\n\n") },
        { "error in the stream", static exchange => Say(exchange, $"data: {{\"type\":\"error\",\"message\":\"{Secret}\"}}\n\nevent: perennial.completed\ndata:\n\n") },
        { "garbage", static exchange => exchange.WriteAsync($"{Secret} {Secret}\r\n\r\n") },
        { "wrong type", static exchange => exchange.RespondAsync(200, Secret, ("Content-Type", "text/html")) },
        { "too large", static exchange => Say(exchange, $"data: {new string('x', 300)}{Secret}\n\n") },
        { "elsewhere", static exchange => exchange.RespondAsync(302, "", ("Location", $"ftp://127.0.0.1/?key={Secret}")) },
        {
            "lost", static async exchange =>
            {
                await exchange.StartEventStreamAsync();
                await exchange.WriteChunkAsync($"id: {Secret}\nevent: {Secret}\ndata: {Secret}\n\n");
                await exchange.ResetAsync();
            }
        },
    };

    [Theory]
    [MemberData(nameof(Endings), DisableDiscoveryEnumeration = true)]
    public async Task No_secret_reaches_a_log_an_exception_or_a_description(string what, Func<ScriptedExchange, Task> script)
    {
        var logs = new LogSink();
        var told = new List<string>();
        await using var server = ScriptedServer.Start(script);
        await using var transport = server.Transport(
            options => options with
            {
                Endpoint = new Uri(server.Address, $"/stream?key={Secret}"),
                Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = $"Bearer {Secret}", ["Cookie"] = $"session={Secret}" },
                Body = RequestBody.Text(Secret),
                MaxMessageBytes = 256,
                ConfigureRequest = static (_, _) => ValueTask.CompletedTask,
                Reconnect = new ReconnectOptions { MaxAttempts = 1, InitialDelay = TimeSpan.Zero },
            },
            new TransportServices { LoggerFactory = logs });
        transport.ErrorOccurred += (_, e) => told.Add(e.ToString());
        transport.Reconnecting += (_, e) => told.Add(e.ToString());
        transport.Closed += (_, e) => told.Add(e.ToString());

        try
        {
            await foreach (var message in transport.ReadAllAsync())
            {
                if (!message.EventType.Contains(Secret, StringComparison.Ordinal))
                {
                    told.Add(message.ToString());
                }
            }
        }
        catch (TransportException e)
        {
            told.Add(e.ToString());
        }

        await transport.DisposeAsync().Soon();
        server.Requests[0].Headers["Authorization"].ShouldBe([$"Bearer {Secret}"], what);
        told.Add(transport.GetMetrics().ToString());
        told.AddRange(logs.Lines.Select(static line => $"{line.Text} {line.Exception}"));
        told.ShouldAllBe(static line => !line.Contains(Secret), what);
    }

    private static async Task Say(ScriptedExchange exchange, string events)
    {
        await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"));
        await exchange.WriteChunkAsync(events);
        await exchange.WaitForClientCloseAsync(exchange.Stopping);
    }
}
