namespace Perennial.Wire;

/// <summary>What the bytes of a payload are, which decides how each format writes them. The numbers are those of the public enums.</summary>
internal enum PayloadKind
{
    /// <summary>Text in UTF-8.</summary>
    Text = 0,

    /// <summary>A JSON value in UTF-8.</summary>
    Json = 1,

    /// <summary>Bytes that need not be text.</summary>
    Binary = 2,
}
