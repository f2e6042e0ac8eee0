namespace Perennial;

/// <summary>
/// Options within options. The defaults are made when somebody looks at them, since a configuration binder writes into what it finds;
/// until then all share those that only the library sees.
/// </summary>
internal struct NestedOptions<T> : IEquatable<NestedOptions<T>>
    where T : class, new()
{
    private static readonly T Defaults = new();
    private static readonly T Missing = new();      // stands for the null that somebody set, which is to be refused

    private T? _own;

    public NestedOptions(T? own) => _own = own ?? Missing;

    /// <summary>For everybody's eyes.</summary>
    public T Shown => ReferenceEquals(_own, Missing) ? null! : _own ??= new T();

    /// <summary>The same values, for code that does not change or hand out what it gets.</summary>
    public readonly T Read => ReferenceEquals(_own, Missing) ? null! : _own ?? Defaults;

    public readonly bool Equals(NestedOptions<T> other) => EqualityComparer<T>.Default.Equals(Read, other.Read);

    public override readonly bool Equals(object? obj) => obj is NestedOptions<T> other && Equals(other);

    public override readonly int GetHashCode() => Read?.GetHashCode() ?? 0;
}
