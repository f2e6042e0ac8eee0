namespace Perennial.Wire;

/// <summary>The kind of a payload. It decides how each format writes the bytes. The numbers equal those of the public enums.</summary>
internal enum PayloadKind
{
    /// <summary>Text in UTF-8.</summary>
    Text = 0,

    /// <summary>A JSON value in UTF-8.</summary>
    Json = 1,

    /// <summary>Arbitrary bytes.</summary>
    Binary = 2,
}
