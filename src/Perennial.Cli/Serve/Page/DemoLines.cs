using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Page;

/// <summary>The lines of all visitors: one for each page that is open, and no more than there is room for. Thread safe.</summary>
internal sealed class DemoLines(Uri plain, Uri buffered) : IAsyncDisposable
{
    /// <summary>The oldest goes first; its page asks for another.</summary>
    private const int MostLines = 32;

    private readonly Lock _gate = new();
    private readonly List<DemoLine> _lines = [];    // oldest first

    /// <summary>Opens a line and answers with its address.</summary>
    public async Task OpenAsync(HttpContext context)
    {
        var line = new DemoLine(plain, buffered);
        if (AddAndTakeOldest(line) is { } oldest)
        {
            await oldest.DisposeAsync();
        }

        await TypedResults.Json(line.Address, DemoJson.Default.DemoLineAddress, statusCode: StatusCodes.Status201Created).ExecuteAsync(context);
    }

    /// <summary>Does something to a line.</summary>
    public Task ActAsync(HttpContext context)
    {
        var line = Find((string)context.Request.RouteValues["line"]!);
        var isDone = line?.TryAct((string)context.Request.RouteValues["action"]!) ?? false;
        return (isDone ? (IResult)TypedResults.NoContent() : TypedResults.Problem("There is no such line, or nothing of that name to do to it.", statusCode: StatusCodes.Status404NotFound))
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
