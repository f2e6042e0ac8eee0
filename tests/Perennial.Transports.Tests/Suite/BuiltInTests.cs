using Perennial.Transports.Tests.Harnesses;
using Perennial.Transports.Tests.Lines;

namespace Perennial.Transports.Tests.Suite;

public sealed class SseTests : TransportSuite<SseHarness>;

public sealed class HttpStreamTests : TransportSuite<HttpStreamHarness>;

public sealed class LongPollTests : TransportSuite<LongPollHarness>;

public sealed class WebSocketTests : TransportSuite<WebSocketHarness>;

public sealed class PlainWebSocketTests : TransportSuite<PlainWebSocketHarness>;

public sealed class AutoTests : TransportSuite<AutoHarness>;

public sealed class InMemoryTests : TransportSuite<InMemoryHarness>;

public sealed class UnnumberedInMemoryTests : TransportSuite<UnnumberedInMemoryHarness>;

/// <summary>The sample of docs/transports.md.</summary>
public sealed class LineTests : TransportSuite<LineHarness>;
