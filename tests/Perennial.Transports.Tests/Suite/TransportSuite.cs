using System.Diagnostics.CodeAnalysis;
using Perennial.Testing;

namespace Perennial.Transports.Tests.Suite;

/// <summary>Shows each behaviour that a transport must have as a case of its own.</summary>
/// <typeparam name="THarness">The transport and its server.</typeparam>
public abstract class TransportSuite<THarness>
    where THarness : TransportHarness, new()
{
    [SuppressMessage("Design", "CA1000", Justification = "The test framework looks here for the cases of a subclass.")]
    public static TheoryData<string> Behaviours =>
        [.. TransportBehaviours.For(new THarness().Traits).Select(static behaviour => behaviour.Name)];

    [Theory]
    [MemberData(nameof(Behaviours))]
    public async Task It_shows(string behaviour)
    {
        await using var harness = new THarness();
        await TransportBehaviours.Named(behaviour).RunAsync(harness, TestContext.Current.CancellationToken);
    }
}
