using System.Collections.Frozen;
using Perennial.Auto;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Streams;
using Perennial.WebSockets;

namespace Perennial.Management;

/// <summary>The kinds of transport that a manager can create by name. Immutable and thread safe.</summary>
public sealed class TransportKinds
{
    private readonly FrozenDictionary<string, Kind> _kinds;

    private TransportKinds(FrozenDictionary<string, Kind> kinds) => _kinds = kinds;

    /// <summary>
    /// Gets the kinds of the library: <c>auto</c>, <c>sse</c>, <c>websocket</c>, <c>http-stream</c>, <c>long-poll</c> and
    /// <c>byte-stream</c>.
    /// </summary>
    public static TransportKinds Default { get; } = new TransportKinds(FrozenDictionary<string, Kind>.Empty)
        .With<AutoTransportOptions>("auto", static (options, services) => new AutoTransport(options, services))
        .With<SseTransportOptions>("sse", static (options, services) => new SseTransport(options, services))
        .With<WebSocketTransportOptions>("websocket", static (options, services) => new WebSocketTransport(options, services))
        .With<HttpStreamTransportOptions>("http-stream", static (options, services) => new HttpStreamTransport(options, services))
        .With<LongPollTransportOptions>("long-poll", static (options, services) => new LongPollTransport(options, services))
        .With<ByteStreamTransportOptions>("byte-stream", static (options, services) => new ByteStreamTransport(options, services));

    /// <summary>Gets the names of the kinds, in ordinal order.</summary>
    public IReadOnlyList<string> Names => [.. _kinds.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Returns a copy with a kind added or replaced.</summary>
    /// <typeparam name="TOptions">The options type of the kind. Each options type belongs to one kind.</typeparam>
    /// <param name="name">The name of the kind: the <see cref="Transport.Kind"/> of its transports.</param>
    /// <param name="create">Creates a transport from its options and the manager's services.</param>
    public TransportKinds With<TOptions>(string name, Func<TOptions, TransportServices, Transport> create)
        where TOptions : TransportOptions
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(create);
        var kinds = new Dictionary<string, Kind>(_kinds, StringComparer.Ordinal)
        {
            [name] = new Kind(typeof(TOptions), (options, services) => create((TOptions)options, services)),
        };
        return new TransportKinds(kinds.ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>Gets the options type of a kind, or <see langword="null"/> if the kind is unknown.</summary>
    /// <param name="name">The name of the kind.</param>
    public Type? OptionsOf(string name) => _kinds.GetValueOrDefault(name)?.OptionsType;

    internal Transport Create(string name, TransportOptions options, TransportServices services)
    {
        if (!_kinds.TryGetValue(name, out var kind))
        {
            throw new ArgumentException($"Unknown transport kind '{name}'. The kinds are: {string.Join(", ", Names)}.", nameof(name));
        }

        return kind.OptionsType.IsInstanceOfType(options)
            ? kind.Create(options, services)
            : throw new ArgumentException(
                $"A transport of kind '{name}' takes {kind.OptionsType.Name}, not {options.GetType().Name}.", nameof(options));
    }

    /// <summary>Finds the kind that takes these options.</summary>
    internal string KindFor(TransportOptions options) =>
        _kinds.FirstOrDefault(kind => kind.Value.OptionsType == options.GetType()).Key
        ?? throw new ArgumentException($"No kind of transport takes {options.GetType().Name}.", nameof(options));

    private sealed record Kind(Type OptionsType, Func<TransportOptions, TransportServices, Transport> Create);
}
