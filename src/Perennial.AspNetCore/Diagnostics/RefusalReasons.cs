using Microsoft.AspNetCore.Http;

namespace Perennial.AspNetCore.Diagnostics;

/// <summary>The reasons of refused requests and messages in metrics (docs/observability.md).</summary>
internal static class RefusalReasons
{
    public const string ServerFull = "server_full";
    public const string RunFull = "run_full";
    public const string TooManyRuns = "too_many_runs";
    public const string TooManyMessages = "too_many_messages";
    public const string InboxFull = "inbox_full";
    public const string StoreUnavailable = "store_unavailable";
    public const string StartUnderWay = "start_under_way";
    public const string KeyReused = "key_reused";
    public const string GoingAway = "going_away";
    public const string Origin = "origin";

    /// <summary>Returns the reason of a status.</summary>
    public static string Of(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "unauthenticated",
        StatusCodes.Status403Forbidden => "forbidden",
        StatusCodes.Status404NotFound => "not_found",
        StatusCodes.Status405MethodNotAllowed => "not_taken",
        StatusCodes.Status406NotAcceptable => "not_acceptable",
        StatusCodes.Status409Conflict => "ended",
        StatusCodes.Status410Gone => "gone",
        StatusCodes.Status413PayloadTooLarge => "payload_too_large",
        StatusCodes.Status415UnsupportedMediaType => "unsupported_media_type",
        _ => "bad_request",
    };
}
