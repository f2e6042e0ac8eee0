namespace Perennial.AspNetCore.Stores;

/// <summary>A value for each of the last used names. Bounded: the name unused for the longest time is forgotten. Not thread safe.</summary>
internal sealed class RecentNames<TValue>(int capacity)
{
    private readonly Dictionary<string, LinkedListNode<(string Name, TValue Value)>> _nodes = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Name, TValue Value)> _byAge = new();

    public bool TryGet(string name, out TValue value)
    {
        if (!_nodes.TryGetValue(name, out var node))
        {
            value = default!;
            return false;
        }

        _byAge.Remove(node);
        _byAge.AddLast(node);
        value = node.Value.Value;
        return true;
    }

    public void Set(string name, TValue value)
    {
        if (_nodes.Remove(name, out var known))
        {
            _byAge.Remove(known);
        }
        else if (_nodes.Count == capacity)
        {
            ForgetOldest();
        }

        _nodes[name] = _byAge.AddLast((name, value));
    }

    private void ForgetOldest()
    {
        _nodes.Remove(_byAge.First!.Value.Name);
        _byAge.RemoveFirst();
    }
}
