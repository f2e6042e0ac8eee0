using Microsoft.Extensions.DependencyInjection;

namespace Perennial.AspNetCore.Tests;

/// <summary>Which resumptions may be registered and named.</summary>
public class ResumptionRuleTests
{
    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_names_only_a_resumption_that_is_registered()
    {
        await using var server = await RunServer.StartAsync(
            services: services => services.AddPerennialServer().AddResumption("chat", (_, _) => Task.CompletedTask));

        var refusal = Should.Throw<ArgumentException>(
            () => server.Runs.Start((_, _) => Task.CompletedTask, new RunOptions { ResumeWith = "Chat" }));

        refusal.Message.ShouldContain("ResumeWith must be null or a name that AddResumption has registered, but is 'Chat'");
        var run = await server.Runs.StartAsync((_, _) => Task.CompletedTask, new RunOptions { ResumeWith = "chat" });
        (await run.Completion).ShouldBe(RunStatus.Completed);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_name_is_registered_once()
    {
        var refusal = await Should.ThrowAsync<InvalidOperationException>(() => RunServer.StartAsync(services: services => services
            .AddPerennialServer()
            .AddResumption("chat", (_, _) => Task.CompletedTask)
            .AddResumption("chat", (_, _) => Task.CompletedTask)));

        refusal.Message.ShouldContain("called twice with the name 'chat'");
    }

    [Theory]
    [InlineData("")]
    [InlineData("zero\0byte")]
    [InlineData("a name of more than sixty-four characters, which is more than it may have")]
    public void A_name_has_a_form(string name) => Should.Throw<ArgumentException>(
        () => new ServiceCollection().AddPerennialServer().AddResumption(name, (_, _) => Task.CompletedTask))
        .Message.ShouldContain("1 to 64 characters");
}
