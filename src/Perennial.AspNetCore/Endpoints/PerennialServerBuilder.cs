using Microsoft.Extensions.DependencyInjection;

namespace Perennial.AspNetCore;

/// <summary>Configures the server that <c>AddPerennialServer</c> has registered. Packages extend it, as with a store of runs.</summary>
/// <param name="services">The application's services.</param>
public sealed class PerennialServerBuilder(IServiceCollection services)
{
    /// <summary>Gets the application's services.</summary>
    public IServiceCollection Services { get; } = services ?? throw new ArgumentNullException(nameof(services));
}
