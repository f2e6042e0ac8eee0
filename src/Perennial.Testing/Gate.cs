namespace Perennial.Testing;

/// <summary>A gate that bytes pass while it is open, as it is at first. Thread-safe; closing and opening are idempotent.</summary>
internal sealed class Gate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _opening;   // null while the gate is open
    private bool _removed;

    /// <summary>Is complete while the gate is open.</summary>
    public Task Opened
    {
        get
        {
            lock (_lock)
            {
                return _opening?.Task ?? Task.CompletedTask;
            }
        }
    }

    public void Close()
    {
        lock (_lock)
        {
            if (!_removed)
            {
                _opening ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    public void Open()
    {
        lock (_lock)
        {
            _opening?.SetResult();
            _opening = null;
        }
    }

    /// <summary>Opens the gate for good.</summary>
    public void Remove()
    {
        lock (_lock)
        {
            _removed = true;
        }

        Open();
    }
}
