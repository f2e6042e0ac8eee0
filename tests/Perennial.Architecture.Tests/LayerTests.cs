using Perennial.AspNetCore;
using Perennial.Cli.Terminal;

namespace Perennial.Architecture.Tests;

public class LayerTests
{
    [Fact]
    public void The_layers_of_the_client_point_one_way() => Layers.ShouldPointOneWay(
        typeof(Transport).Assembly,
        "Errors <- Messages <- Events | Options | Wire <- Diagnostics | Requests <- Engine <- . <- Http <- Sse <- HttpStreams | WebSockets <- Streams <- Auto <- Management");

    [Fact]
    public void The_layers_of_the_server_point_one_way() => Layers.ShouldPointOneWay(
        typeof(StreamRuns).Assembly,
        "Diagnostics | Options <- Stores <- Runs <- Delivery <- Requests <- Http | WebSockets <- Starts <- Endpoints");

    [Fact]
    public void The_layers_of_the_gateway_point_one_way() => Layers.ShouldPointOneWay(
        typeof(Gateway.GatewayOptions).Assembly,
        "Diagnostics | Options <- Upstream <- Answers <- Exchanges <- Endpoints");

    [Fact]
    public void The_layers_of_chats_in_the_client_point_one_way() => Layers.ShouldPointOneWay(
        typeof(PerennialChatClient).Assembly, "Chats <- . <- Streams");

    [Fact]
    public void The_layers_of_chats_on_the_server_point_one_way() => Layers.ShouldPointOneWay(
        typeof(ChatRuns).Assembly, "Options <- Chats | Requests <- .");

    [Fact]
    public void The_layers_of_the_command_point_one_way() => Layers.ShouldPointOneWay(
        typeof(ExitCode).Assembly,
        "Terminal <- Arguments <- Connect | Demo <- Serve/Content <- Serve/Lines | Serve/Page | Serve/Upstream <- Serve <- .");
}
