namespace Perennial.Tests.Fixtures;

/// <summary>For tests that measure the process: they run with no other test beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
