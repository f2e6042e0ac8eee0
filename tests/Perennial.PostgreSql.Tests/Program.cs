using Perennial.PostgreSql.Tests.Support;

return args switch
{
    ["produce", var connectionString, var schema, var id] => await LoneProducer.RunAsync(connectionString, schema, id),
    ["serve", var connectionString, var schema] => await LoneServer.RunAsync(connectionString, schema),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
