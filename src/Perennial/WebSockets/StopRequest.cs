using System.Net.WebSockets;
using Perennial.Wire;

namespace Perennial.WebSockets;

/// <summary>A stop request over one connection that speaks <c>perennial.v1</c>, and the wait for its answer. Thread safe.</summary>
internal sealed class StopRequest(WebSocketSender sender, TimeSpan limit, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _answer;

    /// <summary>Sends the request and waits for the answer.</summary>
    /// <exception cref="TransportException">The server refused, or did not answer within the limit.</exception>
    public async Task SendAndWaitAsync(CancellationToken cancellationToken)
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
            throw new TransportException(
                TransportErrorCode.ConnectTimeout, $"No answer to the stop request within {limit}.", isTransient: true, e);
        }
    }

    /// <summary>Completes the request, because the end of the stream is the answer.</summary>
    public void Answered() => Take()?.TrySetResult();

    public void Refused(TransportException error) => Fail(error);

    public void ConnectionLost() =>
        Fail(new TransportException(
            TransportErrorCode.ConnectionLost,
            "The connection was interrupted before the server answered the stop request.",
            isTransient: true));

    private void Fail(TransportException error)
    {
        if (Take() is { } answer)
        {
            answer.SetException(error);
            _ = answer.Task.Exception;      // observed, because the caller may have stopped waiting
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
