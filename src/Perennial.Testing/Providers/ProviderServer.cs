using System.Collections.Immutable;
using System.Globalization;
using Perennial.Testing.Providers;

namespace Perennial.Testing;

/// <summary>
/// A running <see cref="ScriptedProvider"/> on 127.0.0.1. It records requests and counts prompts. All members are thread-safe.
/// </summary>
public sealed class ProviderServer : IAsyncDisposable
{
    private readonly ScriptedServer _server;
    private readonly ImmutableArray<ScriptedProvider> _scripts;
    private readonly ProviderFormat _format;
    private readonly AsyncCondition _changed = new();
    private ImmutableList<RecordedRequest> _prompts = [];   // grows in ServePromptAsync only
    private ImmutableDictionary<int, (ScriptedProvider Script, Prompt Prompt)> _resumable =   // grows in ServePromptAsync only
        ImmutableDictionary<int, (ScriptedProvider, Prompt)>.Empty;
    private int _asked;
    private int _resumes;

    private ProviderServer(ImmutableArray<ScriptedProvider> scripts)
    {
        _scripts = scripts;
        _format = scripts[0].Format;
        _server = ScriptedServer.Start(ServeAsync);
    }

    /// <summary>Gets the format of the answers.</summary>
    public Dialect Dialect => _format.Dialect;

    /// <summary>Gets the root of the server.</summary>
    public Uri Address => _server.Address;

    /// <summary>Gets what the provider's official client takes as its base URL, such as <c>http://127.0.0.1:5000/v1</c>.</summary>
    public Uri BaseAddress => new(Address, _format.BasePath);

    /// <summary>
    /// Gets the URL to which a prompt for a stream is posted, such as <c>http://127.0.0.1:5000/v1/chat/completions</c>. The server
    /// recognizes it by the end of its path, so a prefix does not matter.
    /// </summary>
    public Uri Endpoint => new(Address, _format.PromptPath);

    /// <summary>Gets the body of a prompt for a stream, in JSON, to be posted to <see cref="Endpoint"/> by any client.</summary>
    public string SampleRequest => _format.SampleRequest;

    /// <summary>Gets all requests that have arrived, in order.</summary>
    public IReadOnlyList<RecordedRequest> Requests => _server.Requests;

    /// <summary>
    /// Gets the requests for an answer that were not refused, in order: the prompts that a provider charges for, whole answers or not.
    /// </summary>
    public IReadOnlyList<RecordedRequest> Prompts => Volatile.Read(ref _prompts);

    /// <summary>Gets the number of connections that are open now. It falls when a client leaves an answer.</summary>
    public int LiveConnections => _server.LiveConnections;

    /// <summary>Serves scripts of one format.</summary>
    /// <param name="scripts">
    /// The first request for an answer gets the first script, and so on, over all connections; the last script repeats.
    /// </param>
    /// <exception cref="ArgumentException">There are no scripts, or they have different formats.</exception>
    /// <exception cref="InvalidOperationException">A fault comes after more events than the answer has.</exception>
    public static ProviderServer Start(params ScriptedProvider[] scripts)
    {
        ArgumentNullException.ThrowIfNull(scripts);
        if (scripts.Length == 0 || scripts.Any(script => script.Format != scripts[0].Format))
        {
            throw new ArgumentException("There must be at least one script, and all must have the same format.", nameof(scripts));
        }

        foreach (var script in scripts)
        {
            script.Check();
        }

        return new ProviderServer([.. scripts]);
    }

    /// <summary>Completes with the prompts when at least <paramref name="count"/> have arrived since the start.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<IReadOnlyList<RecordedRequest>> WaitForPromptsAsync(int count, CancellationToken cancellationToken = default)
    {
        await _changed.WaitAsync(() => Prompts.Count >= count, cancellationToken).ConfigureAwait(false);
        return Prompts;
    }

    /// <summary>Completes when no connection is open, for example when a client has left the answer that it was reading.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForIdleAsync(CancellationToken cancellationToken = default) => _server.WaitForIdleAsync(cancellationToken);

    /// <summary>Lets answers go on that have stalled, or that will stall in answer to a prompt that has arrived already.</summary>
    public void ResumeAll()
    {
        Interlocked.Increment(ref _resumes);
        _changed.Changed();
    }

    /// <inheritdoc cref="ScriptedServer.DisposeAsync"/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task ServeAsync(ScriptedExchange exchange)
    {
        var request = exchange.Request;
        var isRead = Prompt.TryRead(request, Volatile.Read(ref _asked) + 1, out var prompt);
        prompt ??= Prompt.Plain;
        if (!isRead)
        {
            return RefuseAsync(exchange, prompt, 400, new ProviderError(null, "The request body is not a JSON object."));
        }

        if (request.Method is "POST" && _format.IsPrompt(prompt))
        {
            return ServePromptAsync(exchange, prompt);
        }

        if (request.Method is "GET" && TryFindResumed(request.Header("Last-Event-ID"), out var resumed, out var after))
        {
            return new AnswerWriter(exchange, resumed.Script, resumed.Prompt, static () => Task.CompletedTask).ResumeAsync(after);
        }

        return _format.Other(request, prompt) is { } answer
            ? RespondAsync(exchange, prompt, answer)
            : RefuseAsync(exchange, prompt, 404, new ProviderError(null, "There is nothing here."));
    }

    private Task ServePromptAsync(ScriptedExchange exchange, Prompt prompt)
    {
        var number = Interlocked.Increment(ref _asked);
        var script = _scripts[Math.Min(number, _scripts.Length) - 1];
        var seen = Volatile.Read(ref _resumes);
        prompt = prompt with { Number = number };
        if (script.HasEventIds)
        {
            ImmutableInterlocked.TryAdd(ref _resumable, number, (script, prompt));
        }

        if (script.Ending.Kind != EndingKind.Refuse)
        {
            ImmutableInterlocked.Update(ref _prompts, static (list, added) => list.Add(added), exchange.Request);
            _changed.Changed();
        }

        return new AnswerWriter(exchange, script, prompt, () => StallAsync(exchange, seen)).WriteAsync();
    }

    /// <summary>Finds the answer that an id is of, and how many of its events the client has.</summary>
    private bool TryFindResumed(string? lastEventId, out (ScriptedProvider Script, Prompt Prompt) resumed, out int after)
    {
        (resumed, after) = (default, 0);
        return lastEventId?.Split('-') is [var number, var events]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var prompt)
            && int.TryParse(events, NumberStyles.None, CultureInfo.InvariantCulture, out after)
            && _resumable.TryGetValue(prompt, out resumed);
    }

    private async Task StallAsync(ScriptedExchange exchange, int seen)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(exchange.Stopping);
        var resumed = _changed.WaitAsync(() => Volatile.Read(ref _resumes) != seen, stop.Token);
        var left = exchange.WaitForClientCloseAsync(stop.Token);
        await Task.WhenAny(resumed, left).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(resumed, left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Task RespondAsync(ScriptedExchange exchange, Prompt prompt, PlainAnswer answer)
    {
        var headers = _format.Headers(prompt);
        return answer.Body is null
            ? exchange.RespondAsync(answer.Status, "", [.. headers])
            : exchange.RespondAsync(answer.Status, ProviderFormat.Json(answer.Body), [("Content-Type", "application/json"), .. headers]);
    }

    private Task RefuseAsync(ScriptedExchange exchange, Prompt prompt, int status, ProviderError error) =>
        RespondAsync(exchange, prompt, new PlainAnswer(status, _format.ErrorBody(status, error, prompt)));
}
