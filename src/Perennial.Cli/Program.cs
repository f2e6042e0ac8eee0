using Perennial.Cli;

return await PerennialProgram.RunAsync(args);
