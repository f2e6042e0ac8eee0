using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Perennial.AspNetCore.Tests;

/// <summary>The server's options from configuration: every setting can be set, and a wrong one is named at start.</summary>
public class ConfigurationTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact]
    public void Settings_are_read_also_nested_ones()
    {
        using var services = Services(
            ("HeartbeatInterval", "00:00:05"), ("MaxRuns", "7"), ("MaxBytesPerRun", "2048"), ("WebSockets:Compression", "true"),
            ("WebSockets:AllowedOrigins:0", "https://app.example.com"), ("Starts:KeyRetention", "02:00:00")).BuildServiceProvider();

        var options = services.GetRequiredService<IOptions<PerennialServerOptions>>().Value;

        (options.HeartbeatInterval, options.MaxRuns, options.MaxBytesPerRun).ShouldBe((TimeSpan.FromSeconds(5), 7, 2048));
        (options.WebSockets.Compression, options.Starts.KeyRetention).ShouldBe((true, TimeSpan.FromHours(2)));
        options.WebSockets.AllowedOrigins.ShouldBe(["https://app.example.com"]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Wrong_settings_are_all_named_at_start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        foreach (var service in Services(("HeartbeatIntervall", "00:00:05"), ("MaxRuns", "many"), ("Starts:MaxKey", "1")))
        {
            builder.Services.Add(service);
        }

        await using var app = builder.Build();

        var failure = await Should.ThrowAsync<OptionsValidationException>(() => app.StartAsync(TestEnds));

        failure.Message.ShouldContain(
            "PerennialServer:HeartbeatIntervall: unknown setting; accepted are FinishedRunRetention, HeartbeatInterval,");
        failure.Message.ShouldContain("PerennialServer:MaxRuns must be a whole number.");
        failure.Message.ShouldContain(
            "PerennialServer:Starts:MaxKey: unknown setting; accepted are KeyRetention, MaxBodyBytes, MaxKeys, MaxWait.");
        failure.Message.ShouldNotContain("many");
    }

    private static ServiceCollection Services(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create<string, string?>($"PerennialServer:{setting.Name}", setting.Value))).Build();
        var services = new ServiceCollection();
        services.AddPerennialServer(configuration.GetSection("PerennialServer"));
        return services;
    }
}
