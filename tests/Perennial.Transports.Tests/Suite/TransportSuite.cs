using System.Diagnostics.CodeAnalysis;
using Perennial.Testing;

namespace Perennial.Transports.Tests.Suite;

/// <summary>Shows each behavior that a transport must have as a case of its own.</summary>
/// <typeparam name="THarness">The transport and its server.</typeparam>
public abstract class TransportSuite<THarness>
    where THarness : TransportHarness, new()
{
    [SuppressMessage("Design", "CA1000", Justification = "The test framework looks here for the cases of a subclass.")]
    public static TheoryData<string> Behaviors =>
        [.. TransportBehaviors.For(new THarness().Traits).Select(static behavior => behavior.Name)];

    [Theory]
    [MemberData(nameof(Behaviors))]
    public async Task It_shows(string behavior)
    {
        await using var harness = new THarness();
        await TransportBehaviors.Named(behavior).RunAsync(harness, TestContext.Current.CancellationToken);
    }
}
