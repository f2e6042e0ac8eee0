namespace Perennial;

/// <summary>How the events of a <see cref="Dialect"/> follow one another in the body of a response.</summary>
public enum DialectFraming
{
    /// <summary>Server-sent events. The id of an event is a field of the event.</summary>
    ServerSentEvents,

    /// <summary>
    /// Server-sent events. The id of an event follows it as a block of its own, for clients that read only blocks that begin with
    /// <c>data:</c>. By the HTML standard (section 9.2.6) such a block moves the last event id, too.
    /// </summary>
    ServerSentEventsThenIds,

    /// <summary>One JSON value per line. Events have neither names nor ids.</summary>
    JsonLines,
}
