using Perennial.Transports.Tests.Harnesses;

namespace Perennial.Transports.Tests.Suite;

public sealed class SseTests : TransportSuite<SseHarness>;

public sealed class HttpStreamTests : TransportSuite<HttpStreamHarness>;

public sealed class LongPollTests : TransportSuite<LongPollHarness>;

public sealed class WebSocketTests : TransportSuite<WebSocketHarness>;

public sealed class PlainWebSocketTests : TransportSuite<PlainWebSocketHarness>;

public sealed class AutoTests : TransportSuite<AutoHarness>;

public sealed class InMemoryTests : TransportSuite<InMemoryHarness>;

public sealed class UnnumberedInMemoryTests : TransportSuite<UnnumberedInMemoryHarness>;
