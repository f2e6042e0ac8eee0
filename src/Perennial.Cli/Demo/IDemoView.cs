namespace Perennial.Cli.Demo;

/// <summary>Shows the lanes while they are read.</summary>
internal interface IDemoView
{
    /// <summary>Returns when <paramref name="reading"/> has ended, with or without success.</summary>
    Task ShowAsync(IReadOnlyList<DemoLane> lanes, Task reading);
}
