using Perennial.Transports.Mqtt.Tests.Support;
using Perennial.Transports.Tests.Suite;

namespace Perennial.Transports.Mqtt.Tests;

public sealed class AtMostOnceTests : TransportSuite<AtMostOnceHarness>;

public sealed class AtLeastOnceTests : TransportSuite<AtLeastOnceHarness>;

public sealed class ExactlyOnceTests : TransportSuite<ExactlyOnceHarness>;

public sealed class OldVersionTests : TransportSuite<OldVersionHarness>;

public sealed class OldVersionExactlyOnceTests : TransportSuite<OldVersionExactlyOnceHarness>;
