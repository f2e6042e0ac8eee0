using Microsoft.AspNetCore.Http;
using Perennial.Gateway.Upstream;

namespace Perennial.Gateway.Exchanges;

/// <summary>The URLs of a gateway's runs, below its prefix.</summary>
internal static class RunUrl
{
    /// <summary>The path of runs below the prefix.</summary>
    public const string Path = "/perennial/runs";

    public static string Of(HttpContext context, string id) => $"{RequestedPath.PrefixOf(context)}{Path}/{id}";
}
