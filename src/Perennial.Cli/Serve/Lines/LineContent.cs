using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore;
using Perennial.Cli.Arguments;
using Perennial.Cli.Serve.Content;

namespace Perennial.Cli.Serve.Lines;

/// <summary>One run with an event for each line of a UTF-8 text.</summary>
internal sealed class LineContent : IServedContent
{
    private readonly Stream _text;
    private readonly TimeSpan _delay;

    private LineContent(Stream text, TimeSpan delay)
    {
        _text = text;
        _delay = delay;
    }

    public void Configure(PerennialServerOptions server)
    {
    }

    public static LineContent FromStandardInput() => new(Console.OpenStandardInput(), TimeSpan.Zero);

    /// <exception cref="UsageException">The file cannot be read.</exception>
    public static LineContent FromFile(string path, TimeSpan delay)
    {
        try
        {
            return new LineContent(File.OpenRead(path), delay);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--file names a file that cannot be read: '{path}'");
        }
    }

    public void Listen(KestrelServerOptions kestrel)
    {
    }

    public void Map(WebApplication app)
    {
    }

    public async Task<IReadOnlyList<string>> BeginAsync(WebApplication app, Uri address)
    {
        var run = await app.Services.GetRequiredService<StreamRuns>().StartAsync(ProduceAsync, RunLine.KeptLong);
        return [RunLine.For(address, run)];
    }

    public ValueTask DisposeAsync() => _text.DisposeAsync();

    private async Task ProduceAsync(RunWriter writer, CancellationToken stop)
    {
        using var reader = new StreamReader(
            _text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), detectEncodingFromByteOrderMarks: true, leaveOpen: true);
        while (await NextLineAsync(reader, stop) is { } line)
        {
            await writer.WriteAsync(line, cancellationToken: stop);
            if (_delay > TimeSpan.Zero)
            {
                await Task.Delay(_delay, TimeProvider.System, stop);
            }
        }
    }

    private static async Task<string?> NextLineAsync(StreamReader reader, CancellationToken stop)
    {
        try
        {
            return await reader.ReadLineAsync(stop);
        }
        catch (IOException e)
        {
            throw new RunFailedException("The input cannot be read any more.", "source_failed", e);
        }
    }
}
