using System.Text;
using System.Text.Json;
using Perennial.Http;

namespace Perennial.Cli.Arguments;

/// <summary>Makes the body of a request from the value of <c>--data</c>: text, <c>@FILE</c>, or <c>@-</c> for standard input.</summary>
internal static class RequestData
{
    /// <exception cref="UsageException">The file cannot be read.</exception>
    public static RequestBody Read(string data)
    {
        var content = data switch
        {
            "@-" => ReadStandardInput(),
            ['@', .. var path] => ReadFile(path),
            _ => Encoding.UTF8.GetBytes(data),
        };
        return new RequestBody { Content = content, MediaType = IsJson(content) ? "application/json" : "text/plain; charset=utf-8" };
    }

    private static byte[] ReadStandardInput()
    {
        using var input = Console.OpenStandardInput();
        using var content = new MemoryStream();
        input.CopyTo(content);
        return content.ToArray();
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--data names a file that cannot be read: '{path}'");
        }
    }

    private static bool IsJson(byte[] content)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
