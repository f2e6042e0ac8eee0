using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.Redis.Tests;

/// <summary>Settings that cannot work are refused, with a message that says what is accepted.</summary>
public sealed class OptionsTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("abortConnect=false")]
    [InlineData("localhost,unknown=1")]
    public void A_configuration_without_a_server_or_with_an_unknown_setting_is_refused(string configuration) =>
        Should.Throw<ArgumentException>(() => new ServiceCollection().AddPerennialServer().AddRedisStore(configuration));

    [Theory]
    [InlineData("")]
    [InlineData("{tag}")]
    [InlineData("with space")]
    [InlineData("01234567890123456789012345678901234567890")]
    public void A_prefix_that_cannot_be_used_is_refused(string prefix) =>
        Should.Throw<ArgumentOutOfRangeException>(() => new RedisStoreOptions { KeyPrefix = prefix }.Validate())
            .Message.ShouldContain("KeyPrefix must be 1 to 40 characters");

    [Fact]
    public void A_lease_that_is_too_short_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(() => new RedisStoreOptions { LeaseDuration = TimeSpan.Zero }.Validate())
            .ParamName.ShouldBe("LeaseDuration");

    [Fact]
    public async Task The_host_does_not_start_with_options_out_of_range_or_without_a_server()
    {
        using var wrong = Build(options => options.WriteTimeout = TimeSpan.FromDays(1));
        using var alone = Build(_ => { });

        await Should.ThrowAsync<Exception>(wrong.StartAsync(TestEnds));
        await Should.ThrowAsync<RunStoreException>(alone.StartAsync(TestEnds));

        static IHost Build(Action<RedisStoreOptions> configure)
        {
            var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            builder.Services.AddPerennialServer().AddRedisStore("127.0.0.1:1,connectTimeout=500,connectRetry=1", configure);
            return builder.Build();
        }
    }
}
