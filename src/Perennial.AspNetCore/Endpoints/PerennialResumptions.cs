using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Runs;

namespace Perennial.AspNetCore;

/// <summary>Registers how runs go on when their producer is gone.</summary>
public static class PerennialResumptions
{
    private const int MaxNameLength = 64;

    /// <summary>
    /// Registers a delegate that goes on with the runs that name it in <see cref="RunOptions.ResumeWith"/>, after the node that produced
    /// them is gone or has stopped.
    /// </summary>
    /// <param name="builder">The server.</param>
    /// <param name="name">The name, which the store keeps. 1 to 64 characters. Each name once.</param>
    /// <param name="resume">
    /// Called on exactly one node, once for each lost producer, with the recorded events and the messages that are not finished. The run
    /// ends when it returns or throws, as with the delegate that started it. Its token is cancelled in the same cases, and when another
    /// node has taken the run over because this one was silent for too long.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// <para>
    /// Readers notice only a pause: the ids of the events go on. Register the same names on all nodes that share a store. Runs that no
    /// node takes over end as <see cref="RunEnd.ProducerLost"/>.
    /// </para>
    /// <para>
    /// Dialect, retention, owner, key and metadata of the run hold on. <see cref="RunOptions.OnMessage"/>,
    /// <see cref="RunOptions.StopWhenUnread"/> and <see cref="RunOptions.MaxBytes"/> were lost with the producer: read messages by
    /// <see cref="ResumedRun.ReadMessagesAsync"/>.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentException">The name has not 1 to 64 characters.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddPerennialServer().AddSqliteStore("runs.db").AddResumption("count", async (run, stop) =>
    /// {
    ///     var written = await run.ReadRecordedAsync(stop).CountAsync(stop);
    ///     for (var n = written + 1; n &lt;= 100; n++)
    ///     {
    ///         await run.Writer.WriteAsync($"{n}", stop);
    ///     }
    /// });
    /// </code>
    /// </example>
    public static PerennialServerBuilder AddResumption(
        this PerennialServerBuilder builder, string name, Func<ResumedRun, CancellationToken, Task> resume)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(resume);
        if (name.Length is 0 or > MaxNameLength || !DescriptionRules.IsStorable(name))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The name must have 1 to {MaxNameLength} characters, without NUL and half surrogate pairs."),
                nameof(name));
        }

        builder.Services.Configure<Resumptions>(resumptions => resumptions.Add(name, resume));
        return builder;
    }
}
