using Perennial.AspNetCore.Tests.Http;

namespace Perennial.AspNetCore.Tests.Dialects;

/// <summary>Requests of readers that know nothing of Perennial.</summary>
internal static class RawRequest
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    /// <summary>Sends a request, and returns when the head of the response is here.</summary>
    public static async Task<HttpResponseMessage> AskAsync(
        this RunServer server, string path, string? lastEventId = null, string? accept = null, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        if (accept is not null)
        {
            request.Headers.Add("Accept", accept);
        }

        return await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
    }

    /// <summary>Sends a request, and reads the response to its end.</summary>
    public static async Task<RawBody> AskToEndAsync(
        this RunServer server, string path, string? lastEventId = null, string? accept = null, HttpMethod? method = null)
    {
        using var response = await server.AskAsync(path, lastEventId, accept, method);
        response.IsSuccessStatusCode.ShouldBeTrue();
        return await RawBody.ReadAsync(response);
    }

    /// <summary>Starts a run that writes these data and returns, or throws.</summary>
    public static async Task<StartedRun> EndedRunAsync(
        this RunServer server, Dialect dialect, RunFailedException? failure, params string[] data)
    {
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            foreach (var item in data)
            {
                await writer.WriteAsync(item, cancellationToken: stop);
            }

            if (failure is not null)
            {
                throw failure;
            }
        }, new RunOptions { Dialect = dialect });
        await run.Completion;
        return run;
    }
}
