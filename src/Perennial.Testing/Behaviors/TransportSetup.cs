namespace Perennial.Testing;

/// <summary>The options that a behavior needs of the transport that it tries.</summary>
public sealed record TransportSetup
{
    /// <summary>Gets how lost connections are replaced.</summary>
    public ReconnectOptions Reconnect { get; init; } = new()
    {
        InitialDelay = TimeSpan.FromMilliseconds(1),
        MaxDelay = TimeSpan.FromMilliseconds(20),
        MaxAttempts = ReconnectOptions.Unlimited,
    };

    /// <summary>Gets how messages wait for their reader.</summary>
    public BufferOptions Buffer { get; init; } = new();

    /// <summary>Gets how outgoing messages wait for a connection.</summary>
    public SendOptions Send { get; init; } = new();

    /// <summary>Gets the largest message accepted, in bytes; <see langword="null"/> for the transport's own default.</summary>
    public int? MaxMessageBytes { get; init; }

    /// <summary>Gets how long one attempt to connect may take; <see langword="null"/> for the transport's own default.</summary>
    public TimeSpan? ConnectTimeout { get; init; }

    /// <summary>Gets how long the peer may be silent; <see langword="null"/> for the transport's own default.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Gets where another transport stopped reading; <see langword="null"/> for the start of the stream.</summary>
    public ResumePoint? ResumeFrom { get; init; }

    /// <summary>Gets the clock and the other services of the transport.</summary>
    public TransportServices Services { get; init; } = new();

    /// <summary>Returns options of a transport with the values of this setup in place of their own.</summary>
    /// <typeparam name="TOptions">The transport's options.</typeparam>
    /// <param name="options">The options to start from, which name the endpoint.</param>
    public TOptions ApplyTo<TOptions>(TOptions options)
        where TOptions : TransportOptions
    {
        TransportOptions applied = options;
        applied = applied with
        {
            Reconnect = Reconnect,
            Buffer = Buffer,
            Send = Send,
            MaxMessageBytes = MaxMessageBytes ?? applied.MaxMessageBytes,
            ConnectTimeout = ConnectTimeout ?? applied.ConnectTimeout,
            IdleTimeout = IdleTimeout ?? applied.IdleTimeout,
            ResumeFrom = ResumeFrom ?? applied.ResumeFrom,
        };
        return (TOptions)applied;
    }
}
