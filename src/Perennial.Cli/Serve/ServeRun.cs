using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Cli.Arguments;
using Perennial.Cli.Serve.Content;
using Perennial.Cli.Terminal;
using Perennial.Gateway;
using Perennial.PostgreSql;
using Perennial.Sqlite;

namespace Perennial.Cli.Serve;

/// <summary>One run of <c>serve</c>: a server until it is interrupted.</summary>
internal static class ServeRun
{
    private const long MaxBytesPerRun = 256L << 20;

    /// <summary>How long runs in a file can be read after their end. A file has more room than memory.</summary>
    private static readonly TimeSpan RetentionInFile = TimeSpan.FromDays(1);

    /// <summary>The longest time to disconnect all readers when the server stops.</summary>
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Serves until the token is cancelled. Returns an exit code only if the server cannot listen or cannot use its database.
    /// </summary>
    /// <exception cref="UsageException">The settings are invalid.</exception>
    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled; all readers are disconnected.
    /// </exception>
    public static async Task<int> RunAsync(ServeSettings settings, CancellationToken cancellationToken)
    {
        var listen = ListenAddress.Parse(settings.Url);
        await using var content = ServedContents.Create(settings, listen);
        await using var app = Build(settings, listen, content);
        content.Map(app);
        try
        {
            await app.StartAsync(cancellationToken);
            await AnnounceAsync(app, listen, content);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            ErrorLine.Write($"cannot listen at {settings.Url}: {e.GetBaseException().Message}");
            return ExitCode.Failed;
        }
        catch (RunStoreException e)
        {
            ErrorLine.Write(settings.Store is { } file
                ? $"cannot use --store {file}: {e.Message}"
                : $"cannot use the database of --postgres: {e.GetBaseException().Message}");
            return ExitCode.Failed;
        }

        await Task.Delay(
            Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync(CancellationToken.None);
        throw new OperationCanceledException(cancellationToken);
    }

    private static WebApplication Build(ServeSettings settings, ListenAddress listen, IServedContent content)
    {
        // Empty, so that files and environment variables of the user do not change the server.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            listen.Apply(kestrel);
            content.Listen(kestrel);
        });
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostFilteringOptions>(filter => filter.AllowedHosts = [.. listen.HostNames]);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownLimit);
        var perennial = builder.Services.AddPerennialGateway(server =>
        {
            server.MaxBytesPerRun = MaxBytesPerRun;
            server.FinishedRunRetention = settings.Store is null ? server.FinishedRunRetention : RetentionInFile;
            content.Configure(server);
        });
        ChooseStore(perennial, settings);
        content.AddResumptions(perennial);
        if (settings.Verbose)
        {
            builder.Logging.AddFilter("Perennial", LogLevel.Debug).AddFilter("Microsoft", LogLevel.Warning);
            builder.Services.AddSingleton<ILoggerProvider>(new VerboseLog());
        }

        var app = builder.Build();
        app.UseHostFiltering();
        app.MapPerennial("/streams").AllowAnonymous();      // a client that knows the random id of a run may use it
        return app;
    }

    private static void ChooseStore(PerennialServerBuilder perennial, ServeSettings settings)
    {
        switch (settings)
        {
            case { Store: not null, PostgreSql: not null }:
                throw new UsageException("--store and --postgres cannot be used together");
            case { Store: { } file }:
                AddFile(perennial, file);
                break;
            case { PostgreSql: { } connection }:
                perennial.AddPostgreSqlStore(DatabaseConnection.Parse(connection));
                break;
        }
    }

    private static void AddFile(PerennialServerBuilder perennial, string file)
    {
        try
        {
            perennial.AddSqliteStore(file);
        }
        catch (ArgumentException)
        {
            throw new UsageException($"--store must be the path of a file, such as runs.db, not '{file}'");
        }
    }

    private static async Task AnnounceAsync(WebApplication app, ListenAddress listen, IServedContent content)
    {
        var address = new Uri(app.Urls.First());
        if (!listen.IsLoopback)
        {
            ErrorLine.Write("every client that can reach this machine can use this server; it has no login");
        }

        foreach (var line in await content.BeginAsync(app, address))
        {
            Console.WriteLine(line);
        }
    }
}
