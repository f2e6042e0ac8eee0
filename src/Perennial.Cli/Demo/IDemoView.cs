namespace Perennial.Cli.Demo;

/// <summary>Shows the lanes while they are read.</summary>
internal interface IDemoView
{
    /// <summary>Returns when <paramref name="reading"/> has ended, however it did.</summary>
    Task ShowAsync(IReadOnlyList<DemoLane> lanes, Task reading);
}
