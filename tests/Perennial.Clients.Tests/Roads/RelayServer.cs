using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;

namespace Perennial.Clients.Tests.Roads;

/// <summary>
/// An application as a user writes it: it reads the provider's stream with Perennial's client, and returns a run in the same dialect.
/// </summary>
internal sealed class RelayServer : IRoadServer
{
    private readonly WebApplication _app;
    private readonly ProviderServer _provider;
    private readonly HttpClient _plain;

    private RelayServer(WebApplication app, ProviderServer provider)
    {
        _app = app;
        _provider = provider;
        _plain = new HttpClient { BaseAddress = provider.Address };
        app.MapPerennial("/streams").AllowAnonymous();
        app.Map("{**path}", AnswerAsync);
    }

    public Uri BaseAddress => new(new Uri(_app.Urls.Single()), _provider.BaseAddress.AbsolutePath);

    public static async Task<IRoadServer> StartAsync(ProviderServer provider)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddPerennialServer();
        var server = new RelayServer(builder.Build(), provider);
        await server._app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _plain.Dispose();
    }

    private async Task<IResult> AnswerAsync(HttpContext context, StreamRuns runs)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        if (!HttpMethods.IsPost(context.Request.Method) || !AsksForStream(context.Request, JsonNode.Parse(body)!))
        {
            return await PassAsync(context, body);
        }

        var endpoint = new Uri(_provider.Address, context.Request.GetEncodedPathAndQuery());
        return runs.Start((writer, stop) => RelayAsync(endpoint, body, writer, stop), new RunOptions { Dialect = _provider.Dialect });
    }

    private bool AsksForStream(HttpRequest request, JsonNode body) => _provider.Dialect.Name switch
    {
        "openai-chat" or "openai-responses" or "anthropic" => body["stream"]?.GetValue<bool>() is true,
        "ollama" => body["stream"]?.GetValue<bool>() is not false,
        "gemini" => request.Query["alt"].Contains("sse", StringComparer.Ordinal),
        "mcp" => body["method"]?.GetValue<string>() is "tools/call",
        "a2a" => body["method"]?.GetValue<string>() is "message/stream",
        _ => true,
    };

    private async Task RelayAsync(Uri endpoint, string body, RunWriter writer, CancellationToken stop)
    {
        await using var transport = Open(endpoint, RequestBody.Text(body, "application/json"));
        try
        {
            await foreach (var message in transport.ReadAllAsync(stop))
            {
                var name = message.EventType is StreamMessage.DefaultEventType ? null : message.EventType;
                await writer.WriteAsync(message.Data, name, stop);
            }
        }
        catch (TransportException e)
        {
            throw new RunFailedException(e.ServerMessage ?? "The provider's answer broke off.", e.ServerCode ?? "upstream_interrupted", e);
        }
    }

    private Transport Open(Uri endpoint, RequestBody body) => _provider.Dialect == Dialects.Ollama
        ? new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = endpoint, Body = body, Dialect = _provider.Dialect })
        : new SseTransport(new SseTransportOptions { Endpoint = endpoint, Body = body, Dialect = _provider.Dialect });

    private async Task<IResult> PassAsync(HttpContext context, string body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), context.Request.GetEncodedPathAndQuery());
        request.Content = body.Length > 0 ? new StringContent(body, null, "application/json") : null;
        using var response = await _plain.SendAsync(request, context.RequestAborted);
        if (response.Headers.TryGetValues("mcp-session-id", out var session))
        {
            context.Response.Headers["mcp-session-id"] = session.ToArray();
        }

        var answer = await response.Content.ReadAsStringAsync(context.RequestAborted);
        return answer.Length == 0
            ? Results.StatusCode((int)response.StatusCode)
            : Results.Text(answer, response.Content.Headers.ContentType?.ToString(), null, (int)response.StatusCode);
    }
}
