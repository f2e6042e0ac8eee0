using System.Security.Cryptography;
using Perennial.Testing;

namespace Perennial.Cli.Serve.Page;

/// <summary>The line of one visitor, who may cut, stall and resume it. Thread safe.</summary>
internal sealed class DemoLine(Uri plain, Uri buffered) : IAsyncDisposable
{
    private readonly FaultProxy _plain = FaultProxy.Start(plain);
    private readonly FaultProxy _buffered = FaultProxy.Start(buffered);

    /// <summary>A random name: a client that knows it may break the line.</summary>
    public string Name { get; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    public DemoLineAddress Address =>
        new(Name, _plain.Address.GetLeftPart(UriPartial.Authority), _buffered.Address.GetLeftPart(UriPartial.Authority));

    /// <summary>Performs an action. Returns false if the action is unknown.</summary>
    public bool TryAct(string action)
    {
        switch (action)
        {
            case "cut":
                _plain.CutAll();
                _buffered.CutAll();
                return true;
            case "stall":
                _plain.StallAll();
                _buffered.StallAll();
                return true;
            case "resume":
                _plain.ResumeAll();
                _buffered.ResumeAll();
                return true;
            default:
                return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _plain.DisposeAsync();
        await _buffered.DisposeAsync();
    }
}
