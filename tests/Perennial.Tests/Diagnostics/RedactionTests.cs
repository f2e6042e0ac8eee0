using Perennial.Auto;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Requests;
using Perennial.Sse;
using Perennial.WebSockets;

namespace Perennial.Tests.Diagnostics;

/// <summary>What a public type says of itself holds no secret, as in logs.</summary>
public class RedactionTests
{
    private const string Secret = "hunter2";

    private static readonly Uri Url = new($"https://user:{Secret}@host:8443/path?key={Secret}#{Secret}");

    public static TheoryData<object> Values { get; } =
    [
        Filled(new SseTransportOptions { Endpoint = Url }),
        Filled(new HttpStreamTransportOptions { Endpoint = Url }),
        Filled(new LongPollTransportOptions { Endpoint = Url }),
        Filled(new WebSocketTransportOptions { Endpoint = Url }),
        Filled(new AutoTransportOptions { Endpoint = Url }),
        RequestBody.Text(Secret),
        new ResumePoint(Url, Secret),
        new ConnectContext { Attempt = 1, LastEventId = Secret, HasDelivered = true },
        new ConnectedEvent { Attempt = 1, ResumedFrom = Secret },
        new GapEvent { Reason = GapReason.AnnouncedByServer, RequestedId = Secret, ResumesAt = Secret },
        new RequestError { Message = Secret, Code = Secret },
        StreamMessage.FromText(Secret, Secret),
    ];

    [Theory]
    [MemberData(nameof(Values), DisableDiscoveryEnumeration = true)]
    public void No_secret_is_in_a_description(object value) => $"{value}".ShouldNotContain(Secret);

    [Fact]
    public void Options_show_their_endpoint_without_its_secrets() =>
        new SseTransportOptions { Endpoint = Url }.ToString().ShouldBe("SseTransportOptions { Endpoint = https://host:8443/path?… }");

    private static T Filled<T>(T options)
        where T : HttpTransportOptions => options with
        {
            LastEventId = Secret,
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = Secret },
            Body = RequestBody.Text(Secret),
            SendEndpoint = Url,
            ResumeFrom = new ResumePoint(Url, Secret),
        };
}
