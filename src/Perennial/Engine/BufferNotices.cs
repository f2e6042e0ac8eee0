namespace Perennial.Engine;

/// <summary>
/// The notices of a <see cref="MessageBuffer"/> that were not announced yet. Their number is limited without losing a count: drops are
/// added up, and two crossings of the mark that cancel out are removed. Used under the buffer's lock.
/// </summary>
internal sealed class BufferNotices
{
    private readonly List<BufferNotice> _pending = [];

    /// <summary>Adds dropped messages. Returns whether there is something new to announce.</summary>
    public bool AddDropped(int count)
    {
        var known = _pending.FindIndex(static notice => notice.Kind == BufferNoticeKind.Dropped);
        if (known >= 0)
        {
            _pending[known] = _pending[known] with { Count = _pending[known].Count + count };
            return false;
        }

        _pending.Add(new BufferNotice(BufferNoticeKind.Dropped, count, 0));
        return true;
    }

    /// <summary>Adds a crossing of the mark. Returns whether there is something new to announce.</summary>
    public bool AddCrossing(BufferNoticeKind kind, int size)
    {
        var opposite = _pending.FindLastIndex(notice => notice.Kind is not BufferNoticeKind.Dropped);
        var same = _pending.FindIndex(notice => notice.Kind == kind);
        if (same >= 0 && opposite > same)
        {
            _pending.RemoveAt(opposite);
            return false;
        }

        _pending.Add(new BufferNotice(kind, 0, size));
        return true;
    }

    public bool TryTake(out BufferNotice notice)
    {
        if (_pending.Count == 0)
        {
            notice = default;
            return false;
        }

        notice = _pending[0];
        _pending.RemoveAt(0);
        return true;
    }
}
