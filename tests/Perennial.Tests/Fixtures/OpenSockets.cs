namespace Perennial.Tests.Fixtures;

/// <summary>How many sockets this process holds: none of a connection that is over may be among them.</summary>
internal static class OpenSockets
{
    /// <summary>The number, where the system tells it, else 0.</summary>
    public static int Count => OperatingSystem.IsLinux()
        ? Directory.GetFiles("/proc/self/fd").Count(IsSocket)
        : 0;

    private static bool IsSocket(string file)
    {
        try
        {
            return File.ResolveLinkTarget(file, false)?.Name.StartsWith("socket:", StringComparison.Ordinal) == true;
        }
        catch (FileNotFoundException)
        {
            return false;       // closed since the folder was read
        }
    }
}
