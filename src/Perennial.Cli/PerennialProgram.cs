using System.CommandLine;
using System.CommandLine.Help;
using Perennial.Cli.Arguments;
using Perennial.Cli.Connect;
using Perennial.Cli.Demo;
using Perennial.Cli.Serve;
using Perennial.Cli.Terminal;

namespace Perennial.Cli;

/// <summary>
/// The program from its arguments to its exit code. It prints every error as one line on stderr, and a stack trace only with
/// <c>--verbose</c>.
/// </summary>
internal static class PerennialProgram
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        using var interruption = new Interruption();
        try
        {
            return await InvokeAsync(arguments, interruption.Token);
        }
        catch (UsageException e)
        {
            ErrorLine.Write(e.Message);
            return ExitCode.BadUsage;
        }
        catch (OutputException e)
        {
            ErrorLine.Write(e.Message);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            return interruption.ExitCode;
        }
        catch (Exception e)
        {
            // Only the type: the text of an unexpected exception may contain anything, including secrets.
            ErrorLine.Write($"unexpected error ({e.GetType().Name}); --verbose shows where");
            if (arguments.Contains(OptionKinds.Verbose, StringComparer.Ordinal))
            {
                await Console.Error.WriteLineAsync(e.ToString());
            }

            return ExitCode.Failed;
        }
    }

    private static Task<int> InvokeAsync(string[] arguments, CancellationToken cancellationToken)
    {
        // Not a RootCommand, which would show the name of this assembly.
        var root = new Command(
            "perennial",
            "Reads and serves streams of messages that survive lost connections. "
            + "Exit codes: 0 success, 1 failed, 2 bad usage, 130 Ctrl-C.")
        {
            new HelpOption(), new VersionOption(), new ConnectCommand(), new ServeCommand(), new DemoCommand(),
        };
        // Arguments that start with @ are data here, not files of more arguments.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        UsageException.ThrowIfAny(parsed);
        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        return parsed.InvokeAsync(invocation, cancellationToken);
    }
}
