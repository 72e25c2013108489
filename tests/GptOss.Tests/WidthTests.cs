using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Runtime.Versioning;
using GptOss.Kernels.Registers;

namespace GptOss.Tests;

/// <summary>What a leg of <c>./build.sh widths</c> claims to test is what it tests.</summary>
public sealed class WidthTests
{
    // A build that does not know the symbol of .NET 11 would lose what stands behind it in the tests too. So these ask
    // by reflection, and nothing here is compiled for one framework only.
    private static readonly bool IsNet11 = Framework(typeof(GptOssModel).Assembly).Major >= 11;

    [Fact]
    public void The_run_uses_the_width_it_claims() => AssertClaimed("GPTOSS_EXPECT_WIDTH", Width);

    [Fact]
    public void The_library_is_built_for_the_framework_that_the_run_claims() =>
        AssertClaimed("GPTOSS_EXPECT_FRAMEWORK", $"net{Framework(typeof(GptOssModel).Assembly)}");

    [Fact]
    public void The_run_multiplies_bytes_by_the_instructions_it_claims() =>
        AssertClaimed("GPTOSS_EXPECT_DOTS", DotsOfProcess);

    [Fact]
    public void Library_and_tests_are_built_for_one_framework_and_run_on_it()
    {
        Assert.Equal(Framework(typeof(WidthTests).Assembly), Framework(typeof(GptOssModel).Assembly));
        Assert.InRange(Environment.Version.Major, Framework(typeof(GptOssModel).Assembly).Major, int.MaxValue);
    }

    [Fact]
    public void A_library_for_NET_11_knows_VNNI_at_512_bits_and_one_for_NET_10_does_not() =>
        Assert.Equal(IsNet11, typeof(VnniProducts).IsAssignableTo(typeof(IProducts<Vector512<int>>)));

    [Fact]
    public void A_library_for_NET_11_multiplies_by_VNNI_at_512_bits_where_the_processor_has_it()
    {
        Type? instructions = typeof(AvxVnni).GetNestedType("V512");
        bool isPresent = instructions?.GetProperty("IsSupported")?.GetValue(null) is true;
        Assert.Equal(IsNet11 && isPresent && Vector512.IsHardwareAccelerated, DotsOfProcess == "Dots512<VnniProducts>");
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
            File.AppendAllText(path, $"width={Width} runtime={Environment.Version} dots={DotsOfProcess} hash={hash}\n");
    }

    private static void AssertClaimed(string variable, string found)
    {
        string? claimed = Environment.GetEnvironmentVariable(variable);
        Assert.SkipWhen(claimed is null, "Set by ./build.sh widths.");
        Assert.Equal(claimed, found);
    }

    private static Version Framework(Assembly assembly) =>
        new FrameworkName(assembly.GetCustomAttribute<TargetFrameworkAttribute>()!.FrameworkName).Version;

    /// <summary>The registers and products that the library chooses for weights of any eight bits.</summary>
    private static string DotsOfProcess
    {
        get
        {
            List<string> chosen = [];
            Dots.Run(new Naming(chosen));
            return Assert.Single(chosen);
        }
    }

    private static string Name(Type type) =>
        type.Name.Split('`')[0]
        + (type.IsGenericType ? $"<{string.Join(",", type.GetGenericArguments().Select(Name))}>" : "");

    /// <summary>A kernel that computes nothing and keeps the name of the registers it was run on.</summary>
    private readonly struct Naming(List<string> names) : IDotsKernel
    {
        public void Run<T>()
            where T : struct, IDots<T> => names.Add(Name(typeof(T)));
    }
}
