using System.Runtime.Intrinsics;

namespace GptOss.Tests;

public sealed class WidthTests
{
    /// <summary>Proves that a leg of <c>./build.sh widths</c> tests what its name says.</summary>
    [Fact]
    public void The_run_uses_the_width_it_claims()
    {
        string? claimed = Environment.GetEnvironmentVariable("GPTOSS_EXPECT_WIDTH");
        Assert.SkipWhen(claimed is null, "Set by ./build.sh widths.");
        Assert.Equal(claimed, Width);
    }

    /// <summary>The widest registers that this process computes with: 512, 256, 128 or scalar.</summary>
    internal static string Width =>
        Vector512.IsHardwareAccelerated ? "512"
        : Vector256.IsHardwareAccelerated ? "256"
        : Vector128.IsHardwareAccelerated ? "128"
        : "scalar";

    /// <summary>
    /// Hands <c>./build.sh widths</c> the hash of some logits, which must be the same in all its legs.
    /// </summary>
    internal static void Report(string hash)
    {
        if (Environment.GetEnvironmentVariable("GPTOSS_WIDTH_REPORT") is string path)
            File.AppendAllText(path, $"width={Width} hash={hash}\n");
    }
}
