using System.Globalization;
using System.Text;
using System.Text.Json;
using StackExchange.Redis;

namespace Perennial.Transports.Redis;

/// <summary>
/// Reads the entries of a stream after an id. It waits with a blocking XREAD, which needs a connection of its own: plain streams have
/// nothing else that wakes a reader, and polling would cost either time or requests.
/// </summary>
internal sealed class StreamConnection : RedisConnection
{
    private const int LargestBatch = 100;

    private readonly string _key;
    private string _position;
    private bool _isStart;          // nothing was read yet, so entries that are gone are not missed
    private bool _isNews;           // the position was chosen here, and the transport does not know it

    private StreamConnection(
        RedisLink reader, RedisLink? sender, RedisTransportOptions options, string key, StreamStart start)
        : base(reader, sender, options, start.IsAfterGap)
    {
        _key = key;
        _position = start.Position;
        _isStart = start.Position is StreamStart.First;
        _isNews = start.IsChosen;
    }

    /// <summary>Finds out where reading begins, and whether entries are missing there.</summary>
    public static async Task<StreamConnection> OpenAsync(
        RedisLink reader, RedisLink? sender, RedisTransportOptions options, string key, string? lastId)
    {
        var start = await StreamStart.FindAsync(reader.Database, key, lastId, options.StartsAtEnd).ConfigureAwait(false);
        return new StreamConnection(reader, sender, options, key, start);
    }

    protected override async Task ReadMessagesAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        if (_isNews)
        {
            _isNews = false;
            batch.MoveCursor(Encoding.UTF8.GetBytes(_position));
            return;
        }

        var entries = await Reader.RunAsync(database => ReadWithCheckAsync(database), cancellationToken).ConfigureAwait(false);
        if (entries.Found.Length == 0)
        {
            // Nothing is behind the position, so the next entry that is added ends the wait, before anything can be trimmed.
            var wait = (long)Options.PingInterval.TotalMilliseconds;
            var added = await Reader.RunAsync(database => ReadAsync(database, "BLOCK", wait), cancellationToken).ConfigureAwait(false);
            entries = (added, HasPosition: true);
        }

        batch.BytesReceived = 5;        // an empty reply
        if (!entries.HasPosition && !_isStart)
        {
            AddGap(batch);
        }

        foreach (var entry in entries.Found)
        {
            Add(entry, batch);
        }
    }

    private async Task<(RedisResult[] Found, bool HasPosition)> ReadWithCheckAsync(IDatabase database)
    {
        var reading = ReadAsync(database);
        var checking = database.StreamRangeAsync(_key, _position, _position, 1);
        var found = await reading.ConfigureAwait(false);
        return (found, (await checking.ConfigureAwait(false)).Length > 0);
    }

    private async Task<RedisResult[]> ReadAsync(IDatabase database, params object[] more)
    {
        var reply = await database.ExecuteAsync(
            "XREAD", ["COUNT", LargestBatch, .. more, "STREAMS", (RedisKey)_key, _position]).ConfigureAwait(false);
        if (reply.IsNull)
        {
            return [];
        }

        var streams = (RedisResult[])reply!;
        return (RedisResult[])(streams.Length == 1 ? ((RedisResult[])streams[0]!)[1] : streams[1])!;     // RESP2: pairs; RESP3: a map
    }

    private void Add(RedisResult entry, MessageBatch batch)
    {
        var parts = (RedisResult[])entry!;
        var id = parts[0].ToString();
        var fields = parts[1].IsNull ? [] : (RedisResult[])parts[1]!;
        byte[]? data = null;
        string? eventType = null;
        for (var i = 0; i + 1 < fields.Length; i += 2)
        {
            var name = fields[i].ToString();
            if (string.Equals(name, Options.DataField, StringComparison.Ordinal))
            {
                data = (byte[])fields[i + 1]!;
            }
            else if (string.Equals(name, Options.EventTypeField, StringComparison.Ordinal))
            {
                eventType = fields[i + 1].ToString();
            }
        }

        data ??= ToJson(fields);
        if (data.Length > Options.MaxMessageBytes)
        {
            throw RedisErrors.TooLarge(Options.MaxMessageBytes);
        }

        batch.Add(data, Encoding.UTF8.GetBytes(id), eventType);
        batch.BytesReceived += data.Length + id.Length;
        (_position, _isStart) = (id, false);
    }

    private static byte[] ToJson(RedisResult[] fields)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            for (var i = 0; i + 1 < fields.Length; i += 2)
            {
                writer.WriteString(fields[i].ToString(), fields[i + 1].ToString());
            }

            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}

/// <summary>Where a connection begins to read a stream.</summary>
/// <param name="Position">The id after which it reads.</param>
/// <param name="IsAfterGap">Whether entries between the last one that was read and this position may be gone.</param>
/// <param name="IsChosen">Whether this is the end of the stream at this time, from which the next connection must go on, too.</param>
internal readonly record struct StreamStart(string Position, bool IsAfterGap, bool IsChosen = false)
{
    /// <summary>Before the first entry.</summary>
    public const string First = "0-0";

    public static async Task<StreamStart> FindAsync(IDatabase database, string key, string? lastId, bool startsAtEnd)
    {
        var newest = await NewestAsync(database, key).ConfigureAwait(false);
        if (lastId is null)
        {
            return new StreamStart(startsAtEnd ? newest ?? First : First, IsAfterGap: false, IsChosen: startsAtEnd);
        }

        if (lastId is First)
        {
            return new StreamStart(First, IsAfterGap: false);
        }

        if (newest is null || Compare(newest, lastId) < 0)
        {
            return new StreamStart(First, IsAfterGap: true);        // deleted, and perhaps begun again
        }

        var isWhole = Compare(newest, lastId) == 0
            || (await database.StreamRangeAsync(key, lastId, lastId, 1).ConfigureAwait(false)).Length > 0;
        return new StreamStart(lastId, !isWhole);
    }

    /// <summary>The id of the newest entry that ever was in the stream, also if it is gone. Null if there is no stream.</summary>
    private static async Task<string?> NewestAsync(IDatabase database, string key)
    {
        if (!await database.KeyExistsAsync(key).ConfigureAwait(false))
        {
            return null;
        }

        return (await database.StreamInfoAsync(key).ConfigureAwait(false)).LastGeneratedId;
    }

    private static int Compare(string left, string right) => Parse(left).CompareTo(Parse(right));

    private static (ulong Milliseconds, ulong Number) Parse(string id)
    {
        var parts = id.Split('-');
        return (ulong.Parse(parts[0], CultureInfo.InvariantCulture),
            parts.Length > 1 ? ulong.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
    }
}
