using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;

namespace Perennial.Tests.Conformance;

/// <summary>Every case of conformance/dialects.json: which answers of AI providers are complete, and which failed.</summary>
public class DialectConformanceTests
{
    private static readonly IReadOnlyDictionary<string, DialectCase> ByName = DialectCase.Load();

    public static TheoryData<string> Cases => [.. ByName.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Recognizes_the_dialect_and_its_end(string name)
    {
        var each = ByName[name];
        var (end, messages, _) = await ReadAsync(each, Dialects.Recognized);

        messages.ShouldBe(each.Messages);
        end.Reason.ToString().ShouldBe(each.Outcome, StringCompareShould.IgnoreCase);
        end.Error?.Code.ToString().ShouldBe(each.Code?.Replace("-", "", StringComparison.Ordinal), StringCompareShould.IgnoreCase);
        end.Error?.ServerCode.ShouldBe(each.ServerCode);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_dialect_that_is_named_ends_in_the_same_way(string name)
    {
        var each = ByName[name];
        Dialects.TryGet(each.Dialect, out var dialect).ShouldBeTrue();

        var (end, _, _) = await ReadAsync(each, dialect);

        end.Reason.ToString().ShouldBe(each.Outcome, StringCompareShould.IgnoreCase);
    }

    [Fact]
    public async Task Without_dialects_the_end_of_the_body_is_the_end()
    {
        var each = ByName["anthropic: a body that ends before the answer is not complete"];

        var (end, _, _) = await ReadAsync(each, Dialects.None);

        end.Reason.ShouldBe(StreamEndReason.Completed);
    }

    private static async Task<(StreamEnd End, int Messages, TransportException? Error)> ReadAsync(DialectCase each, Dialect dialect)
    {
        await using var server = ScriptedServer.Start(each.ScriptAsync);
        HttpTransportOptions options = each.IsSse
            ? new SseTransportOptions { Endpoint = server.Address }
            : new HttpStreamTransportOptions { Endpoint = server.Address };
        options = options with { Body = RequestBody.Text("hello"), Dialect = dialect, Reconnect = TransportProbe.AtOnce };
        await using Transport transport = options is SseTransportOptions sse
            ? new SseTransport(sse)
            : new HttpStreamTransport((HttpStreamTransportOptions)options);
        await using var probe = new TransportProbe(transport);
        var messages = 0;
        TransportException? error = null;
        try
        {
            await foreach (var _ in probe.Transport.ReadAllAsync(probe.Token))
            {
                messages++;
            }
        }
        catch (TransportException e)
        {
            error = e;
        }

        server.Requests.Count.ShouldBe(1);
        return (await probe.Transport.Completion, messages, error);
    }
}
