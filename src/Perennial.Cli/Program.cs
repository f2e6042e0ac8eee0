using Perennial.Cli;

return await CommandLine.RunAsync(args);
