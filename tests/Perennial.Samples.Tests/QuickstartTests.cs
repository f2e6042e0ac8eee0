namespace Perennial.Samples.Tests;

public class QuickstartTests
{
    [Fact]
    public async Task The_quickstart_prints_what_its_server_says()
    {
        await using var sample = Sample.Start("Quickstart");

        (await sample.OutputAsync()).ShouldBe("A dropped line loses nothing. Completed\n");
    }

    [Theory]
    [InlineData("samples/Quickstart/Program.cs")]
    [InlineData("samples/Tour/Tour.cs")]
    public void The_readme_shows_code_as_it_is_compiled(string sample)
    {
        var readme = File.ReadAllText(Path.Combine(Sample.Root, "README.md"));

        readme.ShouldContain($"```csharp\n{File.ReadAllText(Path.Combine(Sample.Root, sample))}```");
    }
}
