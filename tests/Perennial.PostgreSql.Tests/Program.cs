using Perennial.PostgreSql.Tests.Support;

return args is ["produce", var connectionString, var schema, var id]
    ? await LoneProducer.RunAsync(connectionString, schema, id)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
