using Perennial.Sqlite.Tests.Support;

return args switch
{
    ["produce", var path] => await LoneProducer.RunAsync(path),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
