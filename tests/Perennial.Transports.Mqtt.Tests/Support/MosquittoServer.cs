using System.Globalization;
using Perennial.Transports.Tests.Servers;

namespace Perennial.Transports.Mqtt.Tests.Support;

/// <summary>A mosquitto of the test's own. With a file it keeps its sessions when it is stopped, but not when it is killed.</summary>
/// <param name="settings">Lines of its configuration, after the listener.</param>
public sealed class MosquittoServer(params string[] settings) : LocalServer
{
    public static string Program { get; } =
        new[] { "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto" }.FirstOrDefault(File.Exists) ?? "mosquitto";

    public Uri Address => new($"mqtt://127.0.0.1:{Port}");

    /// <summary>The folder that <c>persistence_location</c> may name.</summary>
    public string DataFolder => Folder + "/";

    /// <summary>More lines of the configuration, which may name <see cref="DataFolder"/>.</summary>
    public IList<string> More { get; } = [];

    protected override (string Program, string[] Arguments) CommandFor(int port)
    {
        var file = Path.Combine(Folder, "mosquitto.conf");
        File.WriteAllLines(
            file,
            [
                $"listener {port.ToString(CultureInfo.InvariantCulture)} 127.0.0.1",
                "max_queued_messages 0",
                $"user {Environment.UserName}",     // root would become another user, who cannot read the folder
                .. settings.Length == 0 ? ["allow_anonymous true"] : settings,
                .. More,
            ]);
        return (Program, ["-c", file]);
    }
}
