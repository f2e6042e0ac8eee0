namespace Perennial;

/// <summary>
/// Options that are a property of other options. Each owner gets a default object of its own at the first public read, since a
/// configuration binder writes into the object it finds. Until then all owners share one default object, which only the library reads.
/// A mutable struct: the field that holds it must not be readonly. Equality is that of the values, because its owners are records.
/// </summary>
internal struct NestedOptions<T> : IEquatable<NestedOptions<T>>
    where T : class, new()
{
    private static readonly T Defaults = new();
    private static readonly T Missing = new();      // stands for a null that was set; validation refuses it

    private T? _own;

    public NestedOptions(T? own) => _own = own ?? Missing;

    /// <summary>The object for public reads. It belongs to this owner alone.</summary>
    public T Shown => ReferenceEquals(_own, Missing) ? null! : _own ??= new T();

    /// <summary>The same values, for code that neither changes nor exposes the object.</summary>
    public readonly T Read => ReferenceEquals(_own, Missing) ? null! : _own ?? Defaults;

    public readonly bool Equals(NestedOptions<T> other) => EqualityComparer<T>.Default.Equals(Read, other.Read);

    public override readonly bool Equals(object? obj) => obj is NestedOptions<T> other && Equals(other);

    public override readonly int GetHashCode() => Read?.GetHashCode() ?? 0;
}
