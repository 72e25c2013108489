using GptOss.Checkpoint;
using GptOss.Model;

namespace GptOss.Tests.Model;

public sealed unsafe class WeightMemoryTests
{
    [Fact]
    public void What_was_read_for_the_last_time_is_given_back()
    {
        using var memory = new WeightMemory();
        byte* first = memory.Allocate(100),
            second = memory.Allocate(200);
        Assert.Equal(0, (nint)first % 64);

        ILastReading reading = memory.ReadLast(first, 100);
        Assert.Equal((nint)first, (nint)reading.Data);
        Assert.Equal(2, memory.Regions.Count);
        reading.Dispose();
        reading.Dispose(); // once is once

        Assert.Equal([((nint)second, 200)], memory.Regions);
        Assert.Throws<ArgumentException>(() => memory.ReadLast(first, 100));
        Assert.Throws<ArgumentException>(() => memory.ReadLast(second, 100));
    }
}
