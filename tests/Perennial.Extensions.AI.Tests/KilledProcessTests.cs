using System.Diagnostics;
using System.Reflection;
using Perennial.Chats.Tests.Support;
using Perennial.Tests.Fixtures;

namespace Perennial.Chats.Tests;

/// <summary>A process that reads an answer is killed in the middle, and another one goes on from the token that it saved.</summary>
public class KilledProcessTests
{
    private const int Words = 100;

    private static readonly string Program = typeof(KilledProcessTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(static each => string.Equals(each.Key, "SlowChat", StringComparison.Ordinal)).Value!;

    [Fact]
    public async Task After_a_kill_another_process_loses_and_repeats_nothing_and_pays_nothing()
    {
        var whole = ScriptedModel.Words(Words);
        var model = new ScriptedModel(whole);
        await using var server = await ChatServer.StartAsync(model);
        var texts = new List<string>();
        string? token = null;

        foreach (var take in (int[])[5, 1, 40])
        {
            token = await ReadAsync(server.Chat, token, take, texts, isKilled: true);
        }

        await ReadAsync(server.Chat, token, whole.Count - texts.Count, texts, isKilled: false);

        texts.ShouldBe(whole.Select(update => update.Text));
        model.Asked.ShouldBe(1);
    }

    private static async Task<string?> ReadAsync(Uri chat, string? token, int take, List<string> texts, bool isKilled)
    {
        var start = new ProcessStartInfo("dotnet", token is null ? [Program, chat.ToString()] : [Program, chat.ToString(), token])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            for (var i = 0; i < take; i++)
            {
                await process.StandardInput.WriteLineAsync("next");
                await process.StandardInput.FlushAsync();
                var line = (await process.StandardOutput.ReadLineAsync().Soon()).ShouldNotBeNull().Split('\t');
                texts.Add(line[0]);
                token = line[1];
            }

            if (!isKilled)
            {
                await process.WaitForExitAsync().Soon();
                process.ExitCode.ShouldBe(0);
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync().Soon();
        }

        return token;
    }
}
