using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>
/// Remembers requests by their <c>Idempotency-Key</c> (draft-ietf-httpapi-idempotency-key-header), so that each is sent upstream once even
/// if the client repeats it. Keeps the last 10,000, each for a limited time. Safe from any thread.
/// </summary>
/// <param name="kept">How long a request is remembered, from its first arrival.</param>
/// <param name="time">The clock.</param>
internal sealed class PaidPrompts(TimeSpan kept, TimeProvider time)
{
    private const int MostRemembered = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Prompt> _prompts = new(StringComparer.Ordinal);
    private readonly Queue<Prompt> _inOrder = new();

    /// <summary>Sends a request upstream. A repeat gets the answer of the first request, or waits for it.</summary>
    /// <param name="key">The key together with its client.</param>
    /// <param name="fingerprint">Equal for equal requests.</param>
    /// <param name="ask">Sends the request. All waiting requests get its result or exception; only a paid answer is remembered.</param>
    /// <param name="answer">Completes with the answer.</param>
    /// <returns>False if a different request has used the key.</returns>
    public bool TryAskOnce(
        string key, string fingerprint, Func<Task<(IResult Answer, bool IsPaid)>> ask, [NotNullWhen(true)] out Task<IResult>? answer)
    {
        Prompt prompt;
        lock (_gate)
        {
            ForgetOldLocked();
            if (_prompts.TryGetValue(key, out var known))
            {
                answer = string.Equals(known.Fingerprint, fingerprint, StringComparison.Ordinal) ? known.Answer.Task : null;
                return answer is not null;
            }

            prompt = new Prompt(key, fingerprint, time.GetTimestamp());
            _prompts.Add(key, prompt);
            _inOrder.Enqueue(prompt);
        }

        _ = AnswerAsync(prompt, ask);
        answer = prompt.Answer.Task;
        return true;
    }

    private async Task AnswerAsync(Prompt prompt, Func<Task<(IResult Answer, bool IsPaid)>> ask)
    {
        try
        {
            var (answer, isPaid) = await ask();
            if (!isPaid)
            {
                Forget(prompt);
            }

            prompt.Answer.SetResult(answer);
        }
        catch (Exception e)
        {
            Forget(prompt);
            prompt.Answer.SetException(e);
            _ = prompt.Answer.Task.Exception;      // observed here, because all waiting clients may have gone
        }
    }

    private void Forget(Prompt prompt)
    {
        lock (_gate)
        {
            ForgetLocked(prompt);
        }
    }

    private void ForgetOldLocked()
    {
        while (_inOrder.TryPeek(out var oldest) && (_inOrder.Count >= MostRemembered || time.GetElapsedTime(oldest.AskedAt) >= kept))
        {
            ForgetLocked(_inOrder.Dequeue());
        }
    }

    private void ForgetLocked(Prompt prompt)
    {
        if (_prompts.TryGetValue(prompt.Key, out var current) && current == prompt)
        {
            _prompts.Remove(prompt.Key);
        }
    }

    private sealed class Prompt(string key, string fingerprint, long askedAt)
    {
        public string Key => key;

        public string Fingerprint => fingerprint;

        public long AskedAt => askedAt;

        public TaskCompletionSource<IResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
