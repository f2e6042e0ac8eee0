using Perennial.PostgreSql.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;

[assembly: AssemblyFixture(typeof(PostgreSqlCluster))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]    // some tests stop the server that all of them use

return args switch
{
    ["produce", var connectionString, var schema, var id] => await LoneProducer.RunAsync(connectionString, schema, id),
    ["serve", var connectionString, var schema] => await LoneServer.RunAsync(connectionString, schema),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
