global using DatabaseServer = Perennial.Redis.Tests.Support.RedisServer;
global using NodeStore = Perennial.Redis.RedisRunStore;
global using NodeStoreOptions = Perennial.Redis.RedisStoreOptions;
global using StoreUnderTest = Perennial.Redis.Tests.Support.RedisUnderTest;
using Perennial.AspNetCore;

namespace Perennial.Redis.Tests.Support;

/// <summary>The store that the tests of several nodes check here.</summary>
internal static class RedisUnderTest
{
    public static RedisStoreOptions Options(string space) => new() { KeyPrefix = space };

    public static void Add(PerennialServerBuilder builder, string connectionString, string space, TimeSpan? lease = null) =>
        builder.AddRedisStore(connectionString, options =>
        {
            options.KeyPrefix = space;
            options.LeaseDuration = lease ?? options.LeaseDuration;
        });
}
