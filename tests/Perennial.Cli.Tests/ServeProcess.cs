namespace Perennial.Cli.Tests;

/// <summary>A <c>perennial serve</c> on a port of its own, and what it said of where to go.</summary>
internal sealed class ServeProcess : IAsyncDisposable
{
    private ServeProcess(Cli cli, Uri address)
    {
        Cli = cli;
        Address = address;
    }

    public Cli Cli { get; }

    /// <summary>What its <c>curl</c> line names: the run, or where to POST.</summary>
    public Uri Address { get; }

    public static async Task<ServeProcess> StartAsync(params IEnumerable<string> options)
    {
        var cli = Cli.Start(["serve", "--url", "http://127.0.0.1:0", .. options]);
        var line = await cli.ReadUntilAsync("curl -N ");
        return new ServeProcess(cli, new Uri(line.Split(' ')[2]));
    }

    public ValueTask DisposeAsync() => Cli.DisposeAsync();
}
