using Microsoft.Win32.SafeHandles;

namespace Perennial.Cli.Terminal;

/// <summary>The program's output. Each write reaches the system before it returns. Not thread safe.</summary>
internal sealed class StandardOutput : IDisposable
{
    private const int BrokenPipe = 32;                  // EPIPE

    private readonly Stream _stream = Open();

    /// <exception cref="ReaderGoneException">The reader of the output has closed it.</exception>
    /// <exception cref="OutputException">The output cannot be written, as when a disk is full.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (IOException e) when (e.HResult == BrokenPipe)
        {
            throw new ReaderGoneException(e);
        }
        catch (IOException e)
        {
            throw new OutputException(e);
        }
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>
    /// The console's stream does not report that the reader of a pipe has closed it, so a pipe is written to directly. A file is not: the
    /// console's stream moves the position that is shared with other programs that write to the file.
    /// </summary>
    private static Stream Open()
    {
        var console = Console.OpenStandardOutput();
        if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected)
        {
            return console;
        }

        var direct = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return direct.CanSeek ? console : direct;
    }
}

/// <summary>Thrown if the output cannot be written.</summary>
internal sealed class OutputException(IOException cause) : Exception($"the output cannot be written: {cause.Message}", cause);

/// <summary>Thrown if the reader of the output has closed it: a reason to exit, not an error.</summary>
internal sealed class ReaderGoneException(IOException cause) : Exception("The output is no longer read.", cause);
