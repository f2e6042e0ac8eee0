using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Testing;
using Perennial.Sqlite.Tests.Support;

namespace Perennial.Sqlite.Tests;

/// <summary>The store in a SQLite file shows what every store must show.</summary>
public sealed class ContractTests
{
    public static TheoryData<string> Behaviors => [.. RunStoreBehaviors.All.Select(static behavior => behavior.Name)];

    [Theory]
    [MemberData(nameof(Behaviors))]
    public async Task A_file_shows(string behavior)
    {
        await using var harness = new FileHarness();
        await RunStoreBehaviors.Named(behavior).RunAsync(harness, TestContext.Current.CancellationToken);
    }

    private sealed class FileHarness : RunStoreHarness
    {
        private readonly List<StoreFile> _files = [];

        public override async Task<RunStore> OpenAsync(PerennialServerOptions options, CancellationToken cancellationToken)
        {
            var file = new StoreFile();
            _files.Add(file);
            return await file.StartAsync(options);
        }

        public override async ValueTask DisposeAsync()
        {
            foreach (var file in _files)
            {
                await file.DisposeAsync();
            }
        }
    }
}
