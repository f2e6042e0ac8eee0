using System.Text;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Backpressure;

[Collection(nameof(Alone))]
public class BoundedMemoryTests
{
    [Fact]
    public async Task A_gigabyte_passes_through_a_slow_reader_in_bounded_memory()
    {
        const long Total = 1L << 30;
        const int EventBytes = 16 * 1024;
        await using var server = ScriptedServer.Start(static async exchange =>
        {
            await exchange.StartEventStreamAsync();
            var one = "data: " + new string('x', EventBytes) + "\n\n";
            var chunk = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(one, 16)));
            for (var sent = 0L; sent < Total; sent += 16 * EventBytes)
            {
                await exchange.WriteChunkAsync(chunk);
            }

            await exchange.EndChunksAsync();
        });
        await using var transport = server.Transport(static options => options with { Buffer = new BufferOptions { Capacity = 64 } });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var largest = 0L;
        var read = 0L;
        var messages = 0;
        var samples = 0;

        await foreach (var message in transport.ReadAllAsync())
        {
            read += message.Data.Length;
            if (++messages % 4096 == 0)
            {
                await Patience.UntilStill(() => transport.GetMetrics().BytesReceived);     // the buffer fills while the reader dawdles
                samples++;
                largest = Math.Max(largest, GC.GetTotalMemory(forceFullCollection: true) - before);
            }
        }

        read.ShouldBe(Total);
        samples.ShouldBe(16);
        largest.ShouldBeLessThan(32L << 20);      // 64 messages of 16 KiB and the blocks around them
    }
}
