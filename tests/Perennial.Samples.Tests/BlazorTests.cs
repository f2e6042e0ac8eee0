using Microsoft.Playwright;

namespace Perennial.Samples.Tests;

/// <summary>The page in a real browser: Chromium, where it is installed. In CI it must be.</summary>
public class BlazorTests
{
    private const string Chromium = "/usr/bin/chromium";

    [Fact]
    public async Task The_page_shows_a_live_stream_and_its_state()
    {
        Assert.SkipUnless(
            File.Exists(Chromium) || Environment.GetEnvironmentVariable("CI") is "true", $"There is no browser at {Chromium}: apt-get install chromium.");
        File.Exists(Chromium).ShouldBeTrue($"CI needs a browser at {Chromium}.");
        await using var sample = Sample.Start("BlazorServer", "--Urls=http://127.0.0.1:0");
        var address = await sample.AddressAsync();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args =
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync",
            ],
        });
        var page = await browser.NewPageAsync();
        page.SetDefaultTimeout(90_000);
        await page.GotoAsync(address.ToString());

        await Assertions.Expect(page.Locator("#state")).ToHaveTextAsync("Connected", new() { Timeout = 90_000 });
        var first = int.Parse(await page.Locator("#count").InnerTextAsync(), System.Globalization.CultureInfo.InvariantCulture);
        await page.WaitForFunctionAsync("first => Number(document.getElementById('count').textContent) > first + 3", first);
        (await page.Locator("#text").InnerTextAsync()).ShouldStartWith("tick ");
    }
}
