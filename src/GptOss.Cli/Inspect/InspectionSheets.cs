using System.Globalization;
using GptOss.Cli.Shell;
using GptOss.Model;

namespace GptOss.Cli.Inspect;

/// <summary>An <see cref="Inspection"/> as tables for a person.</summary>
internal static class InspectionSheets
{
    public static Sheet[] Of(Inspection inspection) =>
        [
            Summary(inspection),
            Config(inspection.Config),
            Tensors(inspection),
            Memory(inspection),
            Budget(inspection.Budget),
        ];

    private static Sheet Summary(Inspection i) =>
        Sheet.OfPairs(
            Printable.Path(i.Folder),
            ("layout", Layout(i.Layout)),
            ("files", $"{i.Files.Count}, {Amount.Bytes(i.Files.Sum(file => file.Bytes))}"),
            ("tensors", $"{i.Files.Sum(file => file.Tensors)}, {Amount.Bytes(i.TensorBytes)}"),
            ("values", i.IsVerified ? "all read, all finite" : "not read; --verify does"),
            ("parameters", Amount.Count(i.Parameters)),
            ("… active per token", Amount.Count(i.ActiveParameters))
        );

    private static string Layout(CheckpointLayout layout) =>
        layout switch
        {
            CheckpointLayout.HuggingFace => "Hugging Face",
            CheckpointLayout.Original => "OpenAI's original",
            _ => "GGUF",
        };

    private static Sheet Config(ModelConfig c) =>
        Sheet.OfPairs(
            "config",
            (
                "layers",
                $"{c.NumHiddenLayers}, {c.IsSliding.Count(sliding => sliding)} of them sliding with a window of "
                    + $"{c.SlidingWindow}"
            ),
            ("hidden size", Amount.Count(c.HiddenSize)),
            ("attention", $"{c.NumAttentionHeads} heads of {c.HeadDim} on {c.NumKeyValueHeads} key/value heads"),
            ("experts", $"{c.NumLocalExperts} of {Amount.Count(c.IntermediateSize)}, {c.ExpertsPerToken} per token"),
            ("vocabulary", Amount.Count(c.VocabSize)),
            (
                "context",
                $"{Amount.Count(c.MaxPositions)}, from {Amount.Count(c.Rope.OriginalContext)} by YaRN factor "
                    + $"{Text(c.Rope.Factor)}"
            ),
            ("rope theta", Text(c.Rope.Theta)),
            ("SwiGLU limit", Text(c.SwiGluLimit)),
            ("RMSNorm epsilon", Text(c.RmsNormEps))
        );

    private static Sheet Tensors(Inspection i) =>
        new(
            "tensors (* is a layer: model.layers.N, block.N or blk.N)",
            [new("name"), new("no.", true), new("type"), new("shape"), new("size", true)],
            [
                .. i.Tensors.Select(group =>
                    new[]
                    {
                        InLayer(group.Name),
                        Amount.Count(group.Count),
                        group.DType,
                        $"[{string.Join(", ", group.Shape)}]",
                        Amount.Size(group.Bytes),
                    }
                ),
            ]
        );

    // Without what all layers' names begin with, the longest name and its shape fit a terminal of 80 columns.
    private static string InLayer(string name) =>
        name.StartsWith("model.layers.*", StringComparison.Ordinal) ? name["model.layers.".Length..]
        : name.StartsWith("block.*", StringComparison.Ordinal) ? name["block.".Length..]
        : name.StartsWith("blk.*", StringComparison.Ordinal) ? name["blk.".Length..]
        : name;

    private static Sheet Memory(Inspection i) =>
        new(
            "memory of one sequence (keys and values as float32)",
            [new("context", true), new("keys and values", true), new("with the weights", true)],
            [
                .. i.Memory.Select(need =>
                    new[]
                    {
                        Amount.Count(need.Context),
                        Amount.Bytes(need.KeyValueBytes),
                        Amount.Bytes(need.TotalBytes),
                    }
                ),
            ]
        );

    private static Sheet Budget(BudgetFigures budget) =>
        Sheet.OfPairs(
            "memory of all requests' keys and values, if loaded now (KvCacheBytes)",
            ("budget", $"{Amount.Bytes(budget.Bytes)}, {(budget.IsDefault ? "the default here" : "as asked for")}"),
            ("pages", $"{Amount.Count(budget.Pages)}, each 64 tokens of the full or of the sliding layers"),
            ("tokens", $"{Amount.Count(budget.Tokens)} in every layer")
        );

    private static string Text(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
