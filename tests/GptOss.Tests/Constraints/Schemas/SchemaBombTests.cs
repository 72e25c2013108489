using System.Diagnostics;
using System.Text.Json;
using GptOss.Constraints.Schemas;

namespace GptOss.Tests.Constraints.Schemas;

public sealed class SchemaBombTests
{
    // Alone, each takes less than a second. Beside other tests on a small machine, time says only that there is an end;
    // what is allocated does not depend on the neighbours.
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(20);
    private const long MostBytes = 512L << 20;

    // Half a second each, with GPTOSS_LONG=1 only.
    private static readonly string[] Long =
    [
        "conditions times conditions",
        "one of many that overlap",
        "one of too many",
        "as many properties as may be, in alternatives",
        "many patterns of names",
        "a pattern of many states",
        "patterns together",
        "a prime divisor",
        "many excluded values",
    ];

    public static TheoryData<string> Names =>
        [.. SchemaBombs.All.Keys.Where(name => SchemaCorpus.IsLong || !Long.Contains(name))];

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
