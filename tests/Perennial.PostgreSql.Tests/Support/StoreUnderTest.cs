global using DatabaseServer = Perennial.PostgreSql.Tests.Support.PostgreSqlCluster;
global using NodeStore = Perennial.PostgreSql.PostgreSqlRunStore;
global using NodeStoreOptions = Perennial.PostgreSql.PostgreSqlStoreOptions;
global using StoreUnderTest = Perennial.PostgreSql.Tests.Support.PostgreSqlUnderTest;
using Perennial.AspNetCore;

namespace Perennial.PostgreSql.Tests.Support;

/// <summary>The store that the tests of several nodes check here.</summary>
internal static class PostgreSqlUnderTest
{
    public static PostgreSqlStoreOptions Options(string space) => new() { Schema = space };

    public static void Add(PerennialServerBuilder builder, string connectionString, string space, TimeSpan? lease = null) =>
        builder.AddPostgreSqlStore(connectionString, options =>
        {
            options.Schema = space;
            options.LeaseDuration = lease ?? options.LeaseDuration;
        });
}
