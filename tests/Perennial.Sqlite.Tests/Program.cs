using Perennial.Sqlite.Tests.Support;

return args switch
{
    ["produce", var path] => await LoneProducer.RunAsync(path, isResumable: false),
    ["produce-resumable", var path] => await LoneProducer.RunAsync(path, isResumable: true),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
