using System.Buffers.Binary;
using Perennial.GroupCommit;
using StackExchange.Redis;

namespace Perennial.Redis;

/// <summary>The names of the keys in Redis.</summary>
/// <remarks>
/// The braces are a hash tag: scripts use several keys, which must be on one shard of a cluster. The key of a run contains a hash of its
/// id, because an id may be any text of any length.
/// </remarks>
internal sealed class Names(string prefix)
{
    private readonly string _prefix = $"{{{prefix}}}:";

    /// <summary>A hash: node to number.</summary>
    public RedisKey Nodes => $"{_prefix}nodes";

    /// <summary>A sorted set: the keys of starts with a run, by the time of the run.</summary>
    public RedisKey Starts => $"{_prefix}starts";

    public RedisChannel Channel => RedisChannel.Literal($"{_prefix}news");

    /// <summary>A hash: the state of a run. Names of its other keys begin with this one: see <see cref="Scripts"/>.</summary>
    public RedisKey Run(string id) => $"{_prefix}run:{Convert.ToHexStringLower(MessageNames.HashOf(id).AsSpan(0, 16))}";

    /// <summary>A set: the keys of a node's open runs.</summary>
    public RedisKey RunsOf(Guid node) => $"{_prefix}runs-of:{node:N}";

    /// <summary>A set: the starts of a node that have no run yet.</summary>
    public RedisKey StartsOf(Guid node) => $"{_prefix}starts-of:{node:N}";

    /// <summary>A sorted set: the keys of an owner's runs, in the order of their creation. With <c>:o</c>, a set of the open ones.</summary>
    public RedisKey Owner(string owner) => $"{_prefix}owner:{Convert.ToHexStringLower(MessageNames.HashOf(owner).AsSpan(0, 16))}";

    /// <summary>A sorted set: the keys of the open runs with a key of the application, in the order of their creation.</summary>
    public RedisKey Keyed(string key) => $"{_prefix}key:{Convert.ToHexStringLower(MessageNames.HashOf(key).AsSpan(0, 16))}";

    /// <summary>A number: how many runs with an owner or a key were created.</summary>
    public RedisKey Places => $"{_prefix}places";

    /// <summary>A hash: who has a key of a start.</summary>
    public RedisKey Start(string name) => $"{_prefix}start:{name}";

    /// <summary>
    /// The number of a run in this process and in wake-ups: a hash, so that it stays unique if Redis has lost everything.
    /// </summary>
    public static long Number(string id, string epoch) =>
        BinaryPrimitives.ReadInt64LittleEndian(MessageNames.HashOf($"{id}\n{epoch}")) & long.MaxValue;
}
