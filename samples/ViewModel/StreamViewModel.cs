using System.ComponentModel;
using System.Runtime.CompilerServices;
using Perennial;

/// <summary>
/// One stream for a view of WPF, MAUI, Avalonia or anything else with a user interface thread. Made on that thread; every change is
/// announced there.
/// </summary>
public sealed class StreamViewModel : INotifyPropertyChanged, IAsyncDisposable
{
    private readonly Transport _transport;

    public StreamViewModel(Transport transport)
    {
        _transport = transport;
        var view = SynchronizationContext.Current ?? throw new InvalidOperationException("Make the view model on the user interface thread.");
        transport.Connecting += (_, _) => view.Post(_ => State = "connecting", null);
        transport.Connected += (_, _) => view.Post(_ => State = "connected", null);
        transport.Reconnecting += (_, e) => view.Post(_ => State = $"attempt {e.Attempt} in {e.Delay.TotalSeconds:0} s", null);
        transport.Closed += (_, e) => view.Post(_ => State = $"ended: {e.End.Reason}", null);
    }

    public event PropertyChangedEventHandler? PropertyChanged;

    public string Text { get; private set => Set(ref field, value); } = "";

    public string State { get; private set => Set(ref field, value); } = "idle";

    /// <summary>Reads the stream. Each await comes back to the thread it was called on, so that the properties change there.</summary>
    public async Task ReadAsync()
    {
        await foreach (var message in _transport.ReadAllAsync())
        {
            Text += message.Text;
        }
    }

    public ValueTask DisposeAsync() => _transport.DisposeAsync();

    private void Set(ref string field, string value, [CallerMemberName] string property = "")
    {
        field = value;
        PropertyChanged?.Invoke(this, new PropertyChangedEventArgs(property));
    }
}
