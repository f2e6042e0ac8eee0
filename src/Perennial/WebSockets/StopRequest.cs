using System.Net.WebSockets;
using Perennial.Wire;

namespace Perennial.WebSockets;

/// <summary>The request to stop over one connection that speaks <c>perennial.v1</c>, and the wait for its answer. Thread safe.</summary>
internal sealed class StopRequest(WebSocketSender sender, TimeSpan limit, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _answer;

    /// <summary>Asks, and waits for the answer as long as for any other.</summary>
    /// <exception cref="TransportException">The server refused, or gave no answer.</exception>
    public async Task AskAsync(CancellationToken cancellationToken)
    {
        Task answer;
        lock (_gate)
        {
            _answer ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            answer = _answer.Task;
        }

        try
        {
            await sender.SendAsync(ClientMessageWriter.StopRequest, WebSocketMessageType.Text, cancellationToken).ConfigureAwait(false);
            await answer.WaitAsync(limit, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new TransportException(TransportErrorCode.ConnectTimeout, $"No answer to the request to stop within {limit}.", isTransient: true, e);
        }
    }

    /// <summary>The stream ended, which is the answer.</summary>
    public void Answered() => Take()?.TrySetResult();

    public void Refused(TransportException error) => Fail(error);

    public void ConnectionLost() =>
        Fail(new TransportException(TransportErrorCode.ConnectionLost, "The connection broke off before the request to stop was answered.", isTransient: true));

    private void Fail(TransportException error)
    {
        if (Take() is { } answer)
        {
            answer.SetException(error);
            _ = answer.Task.Exception;      // observed: whoever asked may have given up
        }
    }

    private TaskCompletionSource? Take()
    {
        lock (_gate)
        {
            var answer = _answer;
            _answer = null;
            return answer;
        }
    }
}
