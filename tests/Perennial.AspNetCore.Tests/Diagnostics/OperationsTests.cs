using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Perennial.AspNetCore.Tests.Diagnostics;

/// <summary>What operators are shown.</summary>
public class OperationsTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task Runs_and_readers_are_listed_without_the_ids_of_runs()
    {
        await using var server = await RunServer.StartAsync(map: app => app.MapPerennialOperations("/operations").AllowAnonymous());
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("one", cancellationToken: stop);
            await end.Task;
        });
        using var reader = await server.OpenAsync(run, accept: "application/x-ndjson");
        await reader.Content.ReadAsStreamAsync(TestEnds);
        while ((await run.Events.GetStateAsync(TestEnds)).Tail == 0)
        {
            await Task.Yield();
        }

        var text = await server.Client.GetStringAsync(new Uri("/operations", UriKind.Relative), TestEnds);
        end.SetResult();

        text.ShouldNotContain(run.Id);
        var report = JsonDocument.Parse(text).RootElement;
        report.GetProperty("running").GetInt32().ShouldBe(1);
        report.GetProperty("readers").GetProperty("json_lines").GetInt32().ShouldBe(1);
        var listed = report.GetProperty("runs").EnumerateArray().ShouldHaveSingleItem();
        listed.GetProperty("run").GetString().ShouldBe(run.Epoch);
        listed.GetProperty("status").GetString().ShouldBe("running");
        listed.GetProperty("events").GetInt64().ShouldBe(1);
        listed.GetProperty("readers").GetProperty("json_lines").GetInt32().ShouldBe(1);
        listed.GetProperty("readers").GetProperty("sse").GetInt32().ShouldBe(0);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task They_are_shown_to_nobody_before_it_is_decided_to_whom()
    {
        var refusal = await Should.ThrowAsync<InvalidOperationException>(
            async () => await RunServer.StartAsync(map: app => app.MapPerennialOperations("/operations")));
        refusal.Message.ShouldContain("MapPerennialOperations(\"/operations\") has no access rule");

        await using var server = await RunServer.StartAsync();
        using var response = await server.Client.GetAsync(new Uri("/operations", UriKind.Relative), TestEnds);
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(false, HttpStatusCode.OK, "Healthy")]
    [InlineData(true, HttpStatusCode.ServiceUnavailable, "Unhealthy")]
    public async Task The_store_has_a_health_check(bool isBroken, HttpStatusCode status, string text)
    {
        await using var server = await RunServer.StartAsync(
            store: isBroken ? new BrokenStore() : null,
            services: services => services.AddHealthChecks().AddPerennialStore(),
            map: app => app.MapHealthChecks("/health"));

        using var response = await server.Client.GetAsync(new Uri("/health", UriKind.Relative), TestEnds);

        response.StatusCode.ShouldBe(status);
        (await response.Content.ReadAsStringAsync(TestEnds)).ShouldBe(text);
    }
}
