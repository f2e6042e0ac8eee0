using Perennial.Cli.Arguments;
using Perennial.Cli.Serve.Content;
using Perennial.Cli.Serve.Lines;
using Perennial.Cli.Serve.Page;
using Perennial.Cli.Serve.Upstream;

namespace Perennial.Cli.Serve;

/// <summary>Creates the source of runs that the caller chose. The only list of sources.</summary>
internal static class ServedContents
{
    /// <exception cref="UsageException">
    /// The settings name no source or more than one, or an option does not apply to the source.
    /// </exception>
    public static IServedContent Create(ServeSettings settings, ListenAddress listen)
    {
        Span<bool> sources = [settings.ReadsStandardInput, settings.File is not null, settings.Upstream is not null, settings.IsDemo];
        if (sources.Count(true) != 1)
        {
            throw new UsageException("serve needs exactly one of --stdin, --file, --upstream and --demo");
        }

        RefuseWithout(settings.File ?? (settings.IsDemo ? "" : null), "--file or --demo", ("--delay", settings.Delay is not null));
        RefuseWithout(settings.IsDemo ? "" : null, "--demo", ("--step", settings.IsStepped));
        RefuseWithout(
            settings.Upstream,
            "--upstream",
            ("--allow-origin", settings.AllowedOrigins.Count > 0),
            ("--header", settings.Headers.Count > 0),
            ("--method", settings.Method is not null),
            ("--data", settings.Data is not null),
            ("--on-end", settings.OnEnd != EndOfStreamPolicy.Complete));
        return settings switch
        {
            { ReadsStandardInput: true } => LineContent.FromStandardInput(),
            { File: { } path } => LineContent.FromFile(path, settings.Delay ?? TimeSpan.Zero),
            { IsDemo: true } => listen.IsLoopback
                ? new DemoPage(settings.Delay, settings.IsStepped)
                : throw new UsageException("--demo serves only this machine; --url must name localhost or 127.0.0.1"),
            { Method: null, Data: null } => new UpstreamGateway(settings),
            _ => new UpstreamAnswer(UpstreamRequest.From(settings)),
        };
    }

    private static void RefuseWithout(string? source, string sourceName, params ReadOnlySpan<(string Name, bool IsGiven)> options)
    {
        foreach (var (name, isGiven) in options)
        {
            if (source is null && isGiven)
            {
                throw new UsageException($"{name} needs {sourceName}");
            }
        }
    }
}
