namespace Perennial.Tests.LifeCycle;

public class StateTableTests
{
    [Theory]
    [InlineData(TransportState.Idle, "Connecting Closed")]
    [InlineData(TransportState.Connecting, "Connected Reconnecting Failed Closed")]
    [InlineData(TransportState.Connected, "Reconnecting Failed Closed")]
    [InlineData(TransportState.Reconnecting, "Connected Reconnecting Failed Closed")]
    [InlineData(TransportState.Failed, "Connecting Closed")]
    [InlineData(TransportState.Closed, "Connecting")]
    public void A_state_can_become_these_and_no_other(TransportState from, string allowed) =>
        string.Join(' ', Enum.GetValues<TransportState>().Where(to => from.CanBecome(to))).ShouldBe(allowed);

    [Fact]
    public void Every_state_is_in_the_table() => Enum.GetValues<TransportState>().Length.ShouldBe(6);
}
