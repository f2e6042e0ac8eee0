namespace Perennial.Cli.Tests;

/// <summary>A file for as long as a test takes.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(string text) => File.WriteAllText(Path, text);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"perennial-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(Path);
}
