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
    [InlineData("README.md", "samples/Quickstart/Program.cs")]
    [InlineData("README.md", "samples/Tour/Tour.cs")]
    [InlineData("docs/ai.md", "tests/Perennial.Extensions.AI.Tests/Documented.cs")]
    [InlineData("docs/testing.md", "tests/Perennial.Samples.Tests/AnswerTests.cs")]
    [InlineData("docs/transports.md", "samples/LineTransport/LineTransport.cs")]
    public void The_pages_show_code_as_it_is_compiled(string page, string sample)
    {
        var text = File.ReadAllText(Path.Combine(Sample.Root, page));

        text.ShouldContain($"```csharp\n{File.ReadAllText(Path.Combine(Sample.Root, sample))}```");
    }
}
