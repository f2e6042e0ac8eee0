using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// A server in a process of its own. Whoever connects to its control port and sends a byte has that many events sent to all readers; lines
/// on its input ask what that cost.
/// </summary>
internal static class Serving
{
    public const string Reset = "reset";
    public const string Cost = "cost";
    public const string Memory = "memory";

    /// <param name="name">The server.</param>
    /// <param name="settings">A connection string for Perennial on PostgreSQL, and the path of a run that another node produces.</param>
    public static async Task RunAsync(string name, string[] settings)
    {
        await using IBroadcast server = name switch
        {
            Servers.BareSend => BareSend.Start(),
            Servers.KestrelWrite => await KestrelWrite.StartAsync(),
            Servers.Held => await HeldOpen.StartAsync(),
            Servers.TypedResults => await HandRolledServer.StartAsync(isEncodedOnce: false),
            Servers.EncodedOnce => await HandRolledServer.StartAsync(isEncodedOnce: true),
            Servers.Perennial => await PerennialServer.StartAsync(settings),
            _ => throw new ArgumentException($"No server is called {name}.", nameof(name)),
        };
        using var control = new TcpListener(IPAddress.Loopback, 0);
        control.Start();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{server.Origin} {((IPEndPoint)control.LocalEndpoint).Port} {server.BusyPath} {server.IdlePath}"));
        _ = ListenAsync(control, server);
        Answer();
    }

    private static async Task ListenAsync(TcpListener control, IBroadcast server)
    {
        while (true)
        {
            _ = ObeyAsync(await control.AcceptSocketAsync(), server);
        }
    }

    private static async Task ObeyAsync(Socket asker, IBroadcast server)
    {
        using var socket = asker;
        try
        {
            var events = new byte[1];
            while (await socket.ReceiveAsync(events) > 0)
            {
                await server.SendAsync(events[0]);
            }
        }
        catch (SocketException)
        {
            // Who asked has gone.
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync(e.ToString());
            Environment.Exit(1);
        }
    }

    /// <summary>Answers lines on the input until it ends.</summary>
    public static void Answer()
    {
        var (cpu, allocated) = (TimeSpan.Zero, 0L);
        while (Console.In.ReadLine() is { } line)
        {
            switch (line)
            {
                case Reset:
                    Collect();
                    (cpu, allocated) = Spent();
                    Console.WriteLine("done");
                    break;
                case Cost:
                    var (cpuNow, allocatedNow) = Spent();
                    Console.WriteLine(
                        string.Create(CultureInfo.InvariantCulture, $"{(cpuNow - cpu).TotalNanoseconds} {allocatedNow - allocated}"));
                    break;
                case Memory:
                    Collect();
                    using (var process = Process.GetCurrentProcess())
                    {
                        Console.WriteLine(
                            string.Create(
                                CultureInfo.InvariantCulture, $"{GC.GetTotalMemory(forceFullCollection: true)} {process.WorkingSet64}"));
                    }

                    break;
            }
        }
    }

    private static (TimeSpan Cpu, long Allocated) Spent()
    {
        using var process = Process.GetCurrentProcess();
        return (process.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true));
    }

    private static void Collect()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
    }
}
