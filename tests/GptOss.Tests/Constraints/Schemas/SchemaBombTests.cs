using System.Diagnostics;
using System.Text.Json;
using GptOss.Constraints.Schemas;

namespace GptOss.Tests.Constraints.Schemas;

public sealed class SchemaBombTests
{
    // What the compiler promises, with room for a machine that does something else besides.
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(3);
    private const long MostBytes = 400L << 20;

    public static TheoryData<string> Names => [.. SchemaBombs.All.Keys];

    [Theory, MemberData(nameof(Names))]
    public void A_bomb_is_an_error_or_a_rule_in_little_time_and_memory(string name)
    {
        using JsonDocument schema = JsonDocument.Parse(
            SchemaBombs.All[name](),
            new JsonDocumentOptions { MaxDepth = 10_000 }
        );
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        try
        {
            SchemaCompiler.Compile(
                schema.RootElement,
                SchemaOptions.Default,
                PropertyOrder.Any,
                mustBeObject: false,
                new(TestContext.Current.CancellationToken)
            );
        }
        catch (SchemaException refusal)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(refusal.Message);
        }
        TimeSpan elapsed = watch.Elapsed;
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        Assert.True(elapsed < Most, $"It took {elapsed.TotalMilliseconds:N0} ms.");
        Assert.True(bytes < MostBytes, $"It allocated {bytes:N0} bytes.");
    }
}
