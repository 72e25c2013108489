using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>
/// What a model will take, told before it is loaded, against what a process has taken: VmHWM of Linux, which counts
/// mapped files and is the only peak that Linux keeps. What the process held before the loading is no part of the
/// prediction, and is added.
/// </summary>
[Promise(19)]
public sealed class MemoryForecastTests(MemoryForecastTests.LargeModel model)
    : IClassFixture<MemoryForecastTests.LargeModel>
{
    private const double Most = 0.05;

    /// <summary>The model of all measurements.</summary>
    public sealed class LargeModel : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly Lazy<string> _path;
        private readonly Dictionary<MeasuredUse, MeasuredPeak> _peaks = [];
        private double _worst;
        private int _count;

        public LargeModel() =>
            _path = new(() =>
            {
                LargeCheckpoint.Write(_folder.Path);
                return _folder.Path;
            });

        internal string Path => _path.Value;

        internal long Predicted(MeasuredUse use)
        {
            if (!_peaks.TryGetValue(use, out MeasuredPeak? peak))
                _peaks.Add(use, peak = MeasuredChild.Measure(Path, use));
            return peak.Predicted;
        }

        internal void Add(double error) => (_count, _worst) = (_count + 1, Math.Max(_worst, error));

        public void Dispose()
        {
            if (_count > 0)
                Figure.Tell(19, $"peak of memory: {_count} ways to use a model, predicted within {_worst:P1}");
            _folder.Dispose();
        }
    }

    public static TheoryData<Precision, bool, int, int, int> Uses
    {
        get
        {
            TheoryData<Precision, bool, int, int, int> uses = new()
            {
                { Precision.Checkpoint, false, 512, 2, 2 },
                { Precision.Fast, true, 512, 1, 1 },
            };
            if (!Long.IsLong)
                return uses;
            foreach (Precision precision in Enum.GetValues<Precision>())
            foreach (bool isCopied in (bool[])[false, true])
            {
                uses.Add(precision, isCopied, 1024, 1, 2);
                uses.Add(precision, isCopied, 1024, 4, 8);
                uses.Add(precision, isCopied, 4096, 1, 1);
                uses.Add(precision, isCopied, 4096, 3, 2);
            }
            return uses;
        }
    }

    public static TheoryData<bool, int> Limits =>
        Long.IsLong
            ? new()
            {
                { true, 90 },
                { true, 100 },
                { true, 110 },
                { false, 90 },
                { false, 100 },
                { false, 110 },
            }
            : new() { { true, 90 }, { true, 100 } };

    [Theory, MemberData(nameof(Uses)), Trait("speed", "slow")]
    public void The_peak_is_told_before_a_model_is_loaded(
        Precision precision,
        bool isCopied,
        int context,
        int sessions,
        int threads
    )
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells the peak.");
        MeasuredPeak peak = MeasuredChild.Measure(model.Path, new(precision, isCopied, context, sessions, threads));
        double error = Math.Abs(peak.Predicted - peak.Measured) / (double)peak.Measured;
        string told = $"predicted {peak.Predicted:N0}, measured {peak.Measured:N0}: {peak.Parts}";
        TestContext.Current.TestOutputHelper?.WriteLine(told);
        Assert.True(error < Most, told);
        model.Add(error);
    }

    /// <summary>
    /// The limit of a container, at 110, 100 and 90 hundredths of the peak that was told. A process that holds more is
    /// killed by Linux: it must not come to that. Mapped files may be thrown out of memory and read again, so that they
    /// work below the peak too.
    /// </summary>
    [Theory, MemberData(nameof(Limits)), Trait("speed", "slow")]
    public void Within_a_limit_a_model_answers_or_is_refused_before_it_takes_the_memory(bool isCopied, int percent)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has groups with a limit.");
        var use = new MeasuredUse(Precision.Checkpoint, isCopied, Context: 512, Sessions: 2, Threads: 2);
        long limit = model.Predicted(use) / 100 * percent;
        using MemoryGroup? group = MemoryGroup.Of(limit);
        Assert.SkipWhen(group is null, "This process may not make groups with a limit.");

        (int exitCode, string told) = MeasuredChild.Run(model.Path, use, group);

        bool isRefused = isCopied && percent < 100;
        Assert.True(exitCode == (isRefused ? MeasuredChild.Refused : 0), $"{limit:N0} bytes: {exitCode}: {told}");
        if (isRefused)
            Assert.Contains("bytes of memory are needed, and", told, StringComparison.Ordinal);
        string weights = isCopied ? "copied" : "mapped",
            end = isRefused ? "refused" : "answers";
        Figure.Tell(19, $"a limit of {percent} % of the peak, {weights}: {end}");
    }

    [Fact]
    public void What_does_not_fit_into_the_memory_is_refused_with_all_numbers()
    {
        var forecast = new MemoryForecast(new(Mapped: 7, Copied: 1000), KeyValues: 200, Activations: 30, Process: 4);
        var error = Assert.Throws<InsufficientMemoryException>(() => forecast.RequireFree("/m", free: 1233));
        Assert.Equal(
            "/m: 1234 bytes of memory are needed, and 1233 are free: 1000 for weights, 200 for keys and values, 30 for "
                + "activations, 4 for the process. Without ModelOptions.CopyToMemory the files are mapped and need not "
                + "fit.",
            error.Message
        );
        forecast.RequireFree("/m", free: 1234);
    }

    [Fact]
    public void Copies_of_fast_count_beside_the_copied_files()
    {
        using var fast = LoadedModel.Random(new Oracles.TinyShape(), seed: 1, precision: Precision.Fast);
        using var stored = LoadedModel.Random(new Oracles.TinyShape(), seed: 1);
        var options = new ModelOptions { Precision = Precision.Fast };
        ModelFolder folder = stored.Model.Source.Folder;

        Assert.Equal(fast.Model.Source.Folder.WeightBytes, folder.Forecast(options).Weights);
        Assert.Equal(
            fast.Model.Source.Folder.WeightBytes.Copied + folder.Checkpoint.Files.Sum(file => file.Bytes),
            folder.Forecast(options with { CopyToMemory = true }).Weights.Copied
        );
    }
}
