using System.Text.Json;
using Perennial.Management;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Management;

namespace Perennial.Tests.Conformance;

/// <summary>
/// A manager for one case of conformance/manager.json; the format is described beside it. Clock and connections are the test's.
/// </summary>
internal sealed class ManagedCase : IAsyncDisposable
{
    private static readonly ReconnectOptions WithoutJitter = new() { Jitter = false };

    /// <summary>The time of one try to connect, longer than all waits, so that it is told apart from them.</summary>
    private static readonly TimeSpan OneTry = TimeSpan.FromHours(1);

    private readonly ManualTimeProvider _time = new();
    private readonly Dictionary<string, InMemoryTransport> _transports = new(StringComparer.Ordinal);
    private readonly TransportManager _manager;
    private readonly bool _checksByItself;
    private volatile string _host = "alive";
    private int _checks;

    public ManagedCase(JsonElement json)
    {
        var options = Managed.Options with
        {
            MaxTransports = json.TryGetProperty("maxTransports", out var most) ? most.GetInt32() : Managed.Options.MaxTransports,
            MaxIdleTime = TimeOf(json, "maxIdleTime", Managed.Options.MaxIdleTime),
            HealthCheckInterval = TimeOf(json, "healthCheckInterval", Timeout.InfiniteTimeSpan),
            SweepsAutomatically = !json.TryGetProperty("sweepsAutomatically", out var sweeps) || sweeps.GetBoolean(),
            CircuitBreaker = json.TryGetProperty("circuitBreaker", out var breaker) ? BreakerOf(breaker) : new CircuitBreakerOptions(),
        };
        _checksByItself = options.HealthCheckInterval != Timeout.InfiniteTimeSpan;
        _manager = new TransportManager(options, new TransportServices { Time = _time });
        foreach (var step in json.GetProperty("steps").EnumerateArray().Where(static step => NameOf(step) is "throw"))
        {
            Throw(step[1].GetString()!);
        }

        _manager.Events.HealthChecked += (_, _) => Interlocked.Increment(ref _checks);      // after the handlers that throw
    }

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    public async Task RunAsync(JsonElement step)
    {
        var name = NameOf(step);
        if (name is "throw")
        {
            return;
        }

        if (name is "advance")
        {
            await PassAsync(TimeSpan.FromMilliseconds(step[1].GetInt32()));
        }
        else if (name is "sweep")
        {
            _manager.Sweep();
        }
        else if (name is "host")
        {
            _host = step[1].GetString()!;
        }
        else if (name is "create")
        {
            _transports.Add(step[1].GetString()!, Create());
        }
        else if (name is "full")
        {
            Should.Throw<PoolFullException>(Create);
        }
        else if (name is "pool" or "states" or "attempts" or "breaker" or "checks")
        {
            var expected = JsonSerializer.Serialize(step[1]);
            await UntilAllWaitAsync();
            await Patience.Until(
                () => string.Equals(Look(name, step[1]), expected, StringComparison.Ordinal), $"{step}, but {Look(name, step[1])}");
        }
        else
        {
            await ActAsync(name, _transports[step[1].GetString()!]);
        }
    }

    private static string NameOf(JsonElement step) => step[0].GetString()!;

    private static TimeSpan TimeOf(JsonElement json, string name, TimeSpan unset) =>
        !json.TryGetProperty(name, out var given) ? unset
        : given.ValueKind == JsonValueKind.Null ? Timeout.InfiniteTimeSpan
        : TimeSpan.FromMilliseconds(given.GetInt32());

    private static CircuitBreakerOptions? BreakerOf(JsonElement json) =>
        json.ValueKind == JsonValueKind.Null ? null : new CircuitBreakerOptions
    {
        Failures = json.GetProperty("failures").GetInt32(),
        SamplingTime = TimeSpan.FromMilliseconds(json.GetProperty("samplingTime").GetInt32()),
        BreakTime = TimeSpan.FromMilliseconds(json.GetProperty("breakTime").GetInt32()),
        MaxBreakTime = TimeSpan.FromMilliseconds(json.GetProperty("maxBreakTime").GetInt32()),
    };

    private void Throw(string name)
    {
        var events = _manager.Events;
        switch (name)
        {
            case "created":
                events.Created += static (_, _) => throw new InvalidOperationException("oops");
                break;
            case "connected":
                events.Connected += static (_, _) => throw new InvalidOperationException("oops");
                break;
            case "removed":
                events.Removed += static (_, _) => throw new InvalidOperationException("oops");
                break;
            default:
                events.HealthChecked += static (_, _) => throw new InvalidOperationException("oops");
                break;
        }
    }

    private InMemoryTransport Create()
    {
        var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Reconnect = WithoutJitter, ConnectTimeout = OneTry, IdleTimeout = Timeout.InfiniteTimeSpan },
            _manager.Services,
            (transport, _, _) => _host switch
            {
                "dead" => throw new TransportException(TransportErrorCode.ConnectFailed, "Refused by the test.", isTransient: true),
                "unwell" =>
                    throw new TransportException(
                        TransportErrorCode.HttpStatus,
                        "Unwell by the test.",
                        isTransient: true) { HttpStatus = System.Net.HttpStatusCode.ServiceUnavailable },
                _ => new ValueTask<TransportConnection>(transport.NewConnection()),
            });
        _manager.Register(transport);
        return transport;
    }

    private async Task ActAsync(string action, InMemoryTransport transport)
    {
        switch (action)
        {
            case "connect":
                var attempts = transport.Attempts;
                _ = transport.ConnectAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
                await Patience.Until(() => transport.State != TransportState.Idle, "it has begun");
                await Patience.Until(
                    () => transport.State == TransportState.Connected || _host is not "alive" || transport.Attempts > attempts,
                    "it has connected");
                await UntilAllWaitAsync();
                break;
            case "read":
                _ = transport.ReadAllAsync().GetAsyncEnumerator().MoveNextAsync().AsTask();
                await Patience.Until(() => transport.State == TransportState.Connected, "it has connected");
                break;
            case "handle":
                transport.MessageReceived += static (_, _) => { };
                break;
            case "pause":
                transport.Pause();
                break;
            case "resume":
                transport.Resume();
                break;
            case "message":
                var received = transport.GetMetrics().MessagesReceived;
                transport.Connection.Say("1");
                await Patience.Until(() => transport.GetMetrics().MessagesReceived > received, "the message has come");
                break;
            case "heartbeat":
                transport.Connection.Script(static batch =>
                {
                    batch.BytesReceived = 5;
                    return ReadOutcome.More;
                });
                await Patience.Until(() => transport.GetMetrics().LastHeartbeatAt == _time.GetUtcNow(), "the heartbeat has come");
                break;
            case "complete":
                transport.Connection.Finish();
                await transport.Completion.Soon();
                break;
            case "break":
                transport.Connection.Break();
                await Patience.Until(() => transport.State == TransportState.Reconnecting, "the loss was noticed");
                break;
            default:
                transport.Connection.Break(isTransient: false);
                await transport.Completion.Soon();
                break;
        }
    }

    /// <summary>What a step looks at, as JSON like that of the step.</summary>
    private string Look(string what, JsonElement expected) => what switch
    {
        "checks" => $"{Volatile.Read(ref _checks)}",
        "breaker" =>
            JsonSerializer.Serialize(
                (_manager.Services.Breakers?.StateOf(InMemoryTransportOptions.DefaultEndpoint) ?? BreakerState.Closed)
                    .ToString()
                    .ToLowerInvariant()),
        "pool" => JsonSerializer.Serialize(_transports.Where(pair => _manager.Find(pair.Value.Id) is not null)
            .ToDictionary(static pair => pair.Key, pair => $"{_manager.GetHealth(pair.Value.Id)?.Status}".ToLowerInvariant())),
        _ => JsonSerializer.Serialize(expected.EnumerateObject().Select(static each => each.Name).ToDictionary(
            static name => name,
            name => what is "states" ? (object)_transports[name].State.ToString().ToLowerInvariant() : _transports[name].Attempts)),
    };

    /// <summary>Lets time pass from one timer to the next, with all that follows from each.</summary>
    private async Task PassAsync(TimeSpan duration)
    {
        var end = _time.GetUtcNow() + duration;
        while (_time.GetUtcNow() < end)
        {
            await UntilAllWaitAsync();
            var rest = end - _time.GetUtcNow();
            _time.Advance(_time.NextDue is { } next && next < rest ? next : rest);
        }

        await UntilAllWaitAsync();
    }

    /// <summary>A transport that is about to connect waits by one timer, for its next try or for the breaker.</summary>
    private Task UntilAllWaitAsync() => Patience.Until(
        () =>
        {
            var waiting =
                _transports.Values.Count(static transport => transport.State is TransportState.Connecting or TransportState.Reconnecting);
            return waiting == 0 || (_time.ActiveTimers >= waiting + (_checksByItself ? 1 : 0) && _time.NextDue < OneTry / 2);
        },
        "every transport waits");
}
