using Perennial.Transports.Redis.Tests.Support;
using Perennial.Transports.Tests.Suite;

namespace Perennial.Transports.Redis.Tests;

public sealed class StreamSuiteTests : TransportSuite<StreamHarness>;

public sealed class ChannelSuiteTests : TransportSuite<ChannelHarness>;
