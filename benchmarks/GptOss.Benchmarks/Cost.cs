using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;
using GptOss.Generation;
using GptOss.Model;

namespace GptOss.Benchmarks;

/// <summary>
/// What each rounding costs against the checkpoint's own precision: logits, first choices and perplexity at every
/// position.
/// </summary>
internal static class Cost
{
    private static readonly (string Name, ModelOptions Options)[] Roundings =
    [
        ("fast", new ModelOptions { Precision = Precision.Fast }),
        ("kv float16", new ModelOptions { KeyValueFormat = KeyValueFormat.Float16 }),
        ("kv int8", new ModelOptions { KeyValueFormat = KeyValueFormat.Int8 }),
    ];

    /// <summary>
    /// Over fixtures A, B and C, and over the golden conversations of the tiny model, whose answers alone are counted.
    /// </summary>
    public static void Run()
    {
        string vectors = Path.Combine(Root(), "tests", "GptOss.Tests", "vectors");
        foreach (string fixture in (string[])["A", "B", "C"])
        {
            string folder = Path.Combine(vectors, "oracle", fixture);
            using JsonDocument expected = Read(Path.Combine(folder, "expected.json"));
            Print($"fixture {fixture}", folder, [(Ints(expected.RootElement, "prompt"), 0)]);
        }
        using JsonDocument golden = Read(Path.Combine(vectors, "tiny-model", "golden.json"));
        Print(
            "tiny model",
            TinyGptOss.Folder,
            [
                .. golden
                    .RootElement.EnumerateArray()
                    .Select(entry =>
                    {
                        int[] prompt = Ints(entry, "prompt_tokens");
                        return ((int[])[.. prompt, .. Ints(entry, "output_tokens")], prompt.Length - 1);
                    }),
            ]
        );
    }

    private static void Print(string name, string folder, (int[] Tokens, int From)[] texts)
    {
        float[][][] exact = Logits(folder, ModelOptions.Default, texts);
        foreach ((string rounding, ModelOptions options) in Roundings)
        {
            float[][][] rounded = Logits(folder, options, texts);
            double sum = 0,
                largest = 0,
                before = 0,
                after = 0;
            int positions = 0,
                agreed = 0,
                predicted = 0;
            for (int text = 0; text < texts.Length; text++)
            {
                (int[] tokens, int from) = texts[text];
                for (int at = from; at < tokens.Length; at++)
                {
                    if (from > 0 && at == tokens.Length - 1)
                        continue; // behind the answer
                    float[] a = exact[text][at],
                        b = rounded[text][at];
                    double[] differences = [.. a.Zip(b, (x, y) => Math.Abs((double)x - y))];
                    sum += differences.Average();
                    largest = Math.Max(largest, differences.Max());
                    if (TensorPrimitives.IndexOfMax<float>(a) == TensorPrimitives.IndexOfMax<float>(b))
                        agreed++;
                    positions++;
                    if (from == 0)
                        continue;
                    before += Surprise(a, tokens[at + 1]);
                    after += Surprise(b, tokens[at + 1]);
                    predicted++;
                }
            }
            string perplexity =
                predicted == 0
                    ? ""
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $", perplexity {Math.Exp(before / predicted):F5} and {Math.Exp(after / predicted):F5}"
                    );
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}, {rounding}: {positions} positions, mean {sum / positions:G3}, largest {largest:G3}, "
                        + $"same first choice {100.0 * agreed / positions:F2} %{perplexity}"
                )
            );
        }
    }

    private static float[][][] Logits(string folder, ModelOptions options, (int[] Tokens, int From)[] texts)
    {
        using GptOssModel model = GptOssModel.LoadAsync(folder, options).GetAwaiter().GetResult();
        return [.. texts.Select(text => Pass(model.Engine, text.Tokens))];
    }

    private static float[][] Pass(Engine engine, int[] tokens)
    {
        using KvSequence sequence = engine.Cache.NewSequence();
        var result = new float[tokens.Length][];
        engine.Forward(
            batch => batch.Add(sequence, tokens, Wanted.All),
            logits =>
            {
                for (int row = 0; row < logits.Count; row++)
                    result[row] = logits[row].ToArray();
            },
            CancellationToken.None
        );
        return result;
    }

    // −log of the softmax.
    private static double Surprise(float[] logits, int token)
    {
        double maximum = logits.Max();
        return maximum + Math.Log(logits.Sum(logit => Math.Exp(logit - maximum))) - logits[token];
    }

    private static JsonDocument Read(string file) => JsonDocument.Parse(File.ReadAllBytes(file));

    private static int[] Ints(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    private static string Root()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "GptOss.sln")))
                return at.FullName;
        throw new InvalidOperationException(
            $"No GptOss.sln above {AppContext.BaseDirectory}: run it from the repository."
        );
    }
}
