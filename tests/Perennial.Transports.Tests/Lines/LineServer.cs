using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Perennial.Transports.Tests.Lines;

/// <summary>A server for the sample's protocol: one stream, kept from its start, and the last number of each sender.</summary>
internal sealed class LineServer : IAsyncDisposable
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<string> _log = [];
    private readonly List<string> _received = [];
    private readonly Dictionary<string, long> _senders = new(StringComparer.Ordinal);
    private string? _end;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _accepting = Task.CompletedTask;

    public IReadOnlyList<string> Received
    {
        get
        {
            lock (_gate)
            {
                return [.. _received];
            }
        }
    }

    public static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public Uri Start()
    {
        _listener.Start();
        _accepting = AcceptAsync();
        return new Uri($"tcp://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
    }

    public void Write(string text) => Change(() => _log.Add(text));

    public void End(string line) => Change(() => _end ??= line);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stopping.Dispose();
    }

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            change();
            (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        changed.SetResult();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        using (client)
        {
            try
            {
                using var reader = new StreamReader(client.GetStream());
                await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };
                using var turn = new SemaphoreSlim(1, 1);
                async Task SayAsync(string line)
                {
                    await turn.WaitAsync(leaving.Token);
                    await writer.WriteLineAsync(line.AsMemory(), leaving.Token);
                    turn.Release();
                }

                if ((await reader.ReadLineAsync(leaving.Token))?.Split(' ') is not ["read", var after])
                {
                    return;
                }

                await SayAsync(string.Create(CultureInfo.InvariantCulture, $"hello {(int)Heartbeat.TotalMilliseconds}"));
                var writing = WriteLogAsync(int.Parse(after, CultureInfo.InvariantCulture), SayAsync, leaving.Token);
                await ReadAsync(reader, SayAsync, leaving.Token);
                await leaving.CancelAsync();
                await writing;
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                await leaving.CancelAsync();        // the client is gone, or the server stops
            }
        }
    }

    private async Task WriteLogAsync(int position, Func<string, Task> sayAsync, CancellationToken leaving)
    {
        try
        {
            while (true)
            {
                Task changed;
                string? line;
                lock (_gate)
                {
                    changed = _changed.Task;
                    line = position < _log.Count
                        ? string.Create(CultureInfo.InvariantCulture, $"event {position + 1} {Encode(_log[position++])}")
                        : _end;
                }

                if (line is not null)
                {
                    await sayAsync(line);
                }

                if (line is not null && ReferenceEquals(line, _end))
                {
                    return;
                }

                if (line is null && await Task.WhenAny(changed, Task.Delay(Heartbeat, TimeProvider.System, leaving)) != changed)
                {
                    await sayAsync("alive");
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The reader is gone.
        }
    }

    private async Task ReadAsync(StreamReader reader, Func<string, Task> sayAsync, CancellationToken leaving)
    {
        var sender = "";
        while (await reader.ReadLineAsync(leaving) is { } line)
        {
            switch (line.Split(' '))
            {
                case ["stop"]:
                    End("end stopped");
                    break;
                case ["sender", var name, _]:
                    sender = name;
                    await sayAsync($"ack {Last(sender)}");
                    break;
                case ["send", var number, var data]:
                    Take(sender, long.Parse(number, CultureInfo.InvariantCulture), Encoding.UTF8.GetString(Convert.FromBase64String(data)));
                    await sayAsync($"ack {Last(sender)}");
                    break;
                default:
                    return;
            }
        }
    }

    private string Last(string sender)
    {
        lock (_gate)
        {
            return _senders.GetValueOrDefault(sender).ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Takes a message unless it came before.</summary>
    private void Take(string sender, long number, string text)
    {
        lock (_gate)
        {
            if (number == _senders.GetValueOrDefault(sender) + 1)
            {
                _senders[sender] = number;
                _received.Add(text);
            }
        }
    }
}
