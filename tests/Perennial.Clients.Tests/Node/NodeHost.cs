using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Perennial.Clients.Tests.Cells;

namespace Perennial.Clients.Tests.Node;

/// <summary>
/// One Node process that lets the npm clients ask (<c>tests/interop/official/host.js</c>). Started at its first use. Thread-safe.
/// </summary>
internal sealed class NodeHost : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, Waiting> _waiting = new();
    private readonly Lazy<Task<Process>> _process;
    private readonly Lock _input = new();
    private int _asked;
    private Task _reading = Task.CompletedTask;

    public NodeHost() => _process = new Lazy<Task<Process>>(OpenAsync);

    /// <summary>Why there can be no such process here; null where there can. Where CI is true there has to be one.</summary>
    public static string? WhyNot { get; } =
        Environment.GetEnvironmentVariable("CI") is "true" || (IsInstalled("node") && IsInstalled("npm"))
            ? null
            : "Node and npm are not installed.";

    /// <exception cref="NodeClientException">The client threw.</exception>
    public async Task<Reading> ReadAsync(string client, Ask ask, CancellationToken cancellationToken)
    {
        var process = await _process.Value.WaitAsync(cancellationToken);
        var waiting = new Waiting(ask.Progress);
        var id = Interlocked.Increment(ref _asked);
        _waiting[id] = waiting;
        var command = new JsonObject
        {
            ["id"] = id,
            ["client"] = client,
            ["base"] = ask.BaseAddress.ToString(),
            ["stream"] = ask.IsStreamed,
            ["limit"] = ask.GivesUpAfter?.TotalMilliseconds,
        };
        lock (_input)
        {
            process.StandardInput.WriteLine(command.ToJsonString());
            process.StandardInput.Flush();
        }

        return await waiting.Answer.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process.IsValueCreated)
        {
            using var process = await _process.Value;
            process.StandardInput.Close();
            await _reading;
            await process.WaitForExitAsync();
        }
    }

    private async Task<Process> OpenAsync()
    {
        await InstallAsync();
        var process = Start("node", "host.js");
        _reading = ReadAnswersAsync(process);
        return process;
    }

    private async Task ReadAnswersAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var answer = JsonNode.Parse(line)!;
            var id = answer["id"]!.GetValue<int>();
            if (answer["first"] is not null)
            {
                _waiting[id].Progress();
            }
            else if (_waiting.TryRemove(id, out var waiting))
            {
                waiting.Settle(answer);
            }
        }

        foreach (var waiting in _waiting.Values)
        {
            waiting.Answer.TrySetException(new InvalidOperationException("The Node process ended."));
        }
    }

    /// <summary>Installs the packages as the lock file says, unless it has been done.</summary>
    private static async Task InstallAsync()
    {
        var installed = new FileInfo(Path.Combine(Folder(), "node_modules", ".package-lock.json"));
        if (!installed.Exists || installed.LastWriteTimeUtc < File.GetLastWriteTimeUtc(Path.Combine(Folder(), "package-lock.json")))
        {
            using var npm = Start("npm", "ci", "--no-audit", "--no-fund");
            var output = await npm.StandardOutput.ReadToEndAsync();
            await npm.WaitForExitAsync();
            npm.ExitCode.ShouldBe(0, output);
        }
    }

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder(),
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    private static bool IsInstalled(string program)
    {
        try
        {
            using var process = Start(program, "--version");
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static string Folder([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "interop", "official"));

    private sealed record Waiting(Action Progress)
    {
        public TaskCompletionSource<Reading> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Settle(JsonNode answer)
        {
            if (answer["reading"] is not { } reading)
            {
                Answer.TrySetException(new NodeClientException(answer["error"]!.GetValue<string>()));
                return;
            }

            var calls = reading["calls"]!.AsArray()
                .Select(call => Reading.Call(call!["name"]!.GetValue<string>(), call["arguments"]!.ToJsonString()));
            var usage = reading["usage"] is { } tokens
                ? Reading.Tokens(tokens["input"]?.GetValue<long>(), tokens["output"]?.GetValue<long>())
                : null;
            Answer.TrySetResult(new Reading(reading["text"]!.GetValue<string>(), string.Concat(calls), usage));
        }
    }
}

/// <summary>A client in the Node process threw. The message begins with the name of its exception.</summary>
internal sealed class NodeClientException(string message) : Exception(message);
