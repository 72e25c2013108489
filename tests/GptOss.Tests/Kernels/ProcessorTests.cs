using GptOss.Kernels;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels;

public sealed class ProcessorTests
{
    private const int Fma = 1 << 12,
        SavedByTheSystem = 1 << 27,
        Avx2 = 1 << 5;

    [Theory]
    [InlineData(7, SavedByTheSystem | Fma, Avx2, false, false, "AVX2, FMA")] // compiled for the oldest x64
    [InlineData(7, SavedByTheSystem | Fma, Avx2, false, true, "AVX2")]
    [InlineData(7, SavedByTheSystem | Fma, Avx2, true, true, "")]
    [InlineData(7, SavedByTheSystem | Fma, 0, false, false, "FMA")] // a processor without AVX2
    [InlineData(7, SavedByTheSystem, 0, false, false, "")] // one without either
    [InlineData(7, Fma, Avx2, false, false, "")] // the system keeps wide registers to itself
    [InlineData(1, SavedByTheSystem | Fma, Avx2, false, false, "FMA")] // there is no leaf 7 to ask
    public void What_the_processor_has_and_the_process_does_not_use_is_named(
        int leaves,
        int basic,
        int extended,
        bool hasAvx2,
        bool hasFma,
        string expected
    ) =>
        Assert.Equal(
            expected,
            string.Join(
                ", ",
                Processor.Missing(
                    (leaf, _) => (leaf == 0 ? leaves : 0, leaf == 7 ? extended : 0, leaf == 1 ? basic : 0, 0),
                    hasAvx2,
                    hasFma
                )
            )
        );
}
