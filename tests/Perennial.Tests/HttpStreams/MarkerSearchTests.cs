using System.Text;

namespace Perennial.Tests.HttpStreams;

public class MarkerSearchTests
{
    [Theory]
    [InlineData("\"done\"")]
    [InlineData("\"error\"")]
    public void Finds_each_word_wherever_it_stands(string word)
    {
        for (var length = word.Length; length < 160; length++)
        {
            for (var at = 0; at <= length - word.Length; at++)
            {
                var json = Encoding.ASCII.GetBytes(new string('x', at) + word + new string('x', length - at - word.Length));
                MarkerSearch.MayContainMarker(json).ShouldBeTrue($"{word} at {at} of {length}");
            }
        }
    }

    [Fact]
    public void Says_of_any_bytes_what_a_plain_search_says()
    {
        var random = new Random(7);
        var letters = "neor\" x"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var json = random.GetItems(letters, random.Next(0, 140));
            var text = Encoding.ASCII.GetString(json);

            MarkerSearch.MayContainMarker(json).ShouldBe(
                text.Contains("ne\"", StringComparison.Ordinal) || text.Contains("or\"", StringComparison.Ordinal), text);
        }
    }
}
