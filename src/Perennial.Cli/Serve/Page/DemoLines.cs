using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Page;

/// <summary>The lines of all visitors: one for each open page, up to a limit. Thread safe.</summary>
internal sealed class DemoLines(Uri plain, Uri buffered) : IAsyncDisposable
{
    /// <summary>The most lines. Beyond it the oldest line is closed; its page then opens another.</summary>
    private const int MostLines = 32;

    private readonly Lock _gate = new();
    private readonly List<DemoLine> _lines = [];    // oldest first

    /// <summary>Opens a line and returns its address.</summary>
    public async Task OpenAsync(HttpContext context)
    {
        var line = new DemoLine(plain, buffered);
        if (AddAndTakeOldest(line) is { } oldest)
        {
            await oldest.DisposeAsync();
        }

        await TypedResults.Json(
            line.Address, DemoJson.Default.DemoLineAddress, statusCode: StatusCodes.Status201Created).ExecuteAsync(context);
    }

    /// <summary>Performs an action on a line.</summary>
    public Task ActAsync(HttpContext context)
    {
        var line = Find((string)context.Request.RouteValues["line"]!);
        var isDone = line?.TryAct((string)context.Request.RouteValues["action"]!) ?? false;
        const string Unknown = "The line or the action does not exist. Actions are cut, stall and resume.";
        return (isDone ? (IResult)TypedResults.NoContent() : TypedResults.Problem(Unknown, statusCode: StatusCodes.Status404NotFound))
            .ExecuteAsync(context);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var line in TakeAll())
        {
            await line.DisposeAsync();
        }
    }

    private DemoLine? Find(string name)
    {
        lock (_gate)
        {
            return _lines.Find(line => string.Equals(line.Name, name, StringComparison.Ordinal));
        }
    }

    private DemoLine? AddAndTakeOldest(DemoLine line)
    {
        lock (_gate)
        {
            _lines.Add(line);
            if (_lines.Count <= MostLines)
            {
                return null;
            }

            var oldest = _lines[0];
            _lines.RemoveAt(0);
            return oldest;
        }
    }

    private DemoLine[] TakeAll()
    {
        lock (_gate)
        {
            DemoLine[] all = [.. _lines];
            _lines.Clear();
            return all;
        }
    }
}
