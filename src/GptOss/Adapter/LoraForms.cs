using System.Globalization;
using System.Text.RegularExpressions;
using GptOss.Checkpoint;
using GptOss.Model;

namespace GptOss.Adapter;

/// <summary>
/// Reads the pairs of an adapter in all forms that tools save, into what each adds to which matrix of the model.
/// </summary>
/// <remarks>
/// A is [rank, inputs] and B [outputs, rank], but for experts in one tensor. PEFT's target_parameters: A is [experts ·
/// rank, inputs], row e · rank + k, and B [outputs, rank · experts], column k · experts + e; some versions exchange
/// inputs and outputs, so that the delta is (B A)ᵀ. Tinker: A is [experts or 1, rank, inputs], B [experts or 1,
/// outputs, rank], and 1 is shared by all. Sources: src/peft/tuners/lora/layer.py in huggingface/peft;
/// tinker_cookbook/weights in thinking-machines-lab/tinker-cookbook; unsloth_zoo/temporary_patches in
/// unslothai/unsloth-zoo.
/// </remarks>
internal sealed partial class LoraForms
{
    private readonly ModelConfig _base;
    private readonly AdapterConfig _config;
    private readonly Dictionary<WeightPlace, DeltaPiece> _pieces = [];
    private readonly List<string> _notes = [];

    /// <exception cref="CheckpointException">A pair matches no matrix, or has another shape.</exception>
    public LoraForms(IReadOnlyList<LoraPair> pairs, ModelConfig model, AdapterConfig config)
    {
        (_base, _config) = (model, config);
        var stacked = new List<LoraPair>();
        foreach (LoraPair pair in pairs)
        {
            if (StackedExperts().IsMatch(pair.Module))
                stacked.Add(pair);
            else
                Add(pair);
        }
        AddStacked(stacked);
    }

    /// <summary>
    /// What is added to each matrix. Of experts there is <see cref="WeightRole.GateUp"/>, or both or one of gate and
    /// up.
    /// </summary>
    public IReadOnlyDictionary<WeightPlace, DeltaPiece> Pieces => _pieces;

    /// <summary>What could only be guessed, as sentences for a person.</summary>
    public IReadOnlyList<string> Notes => _notes;

    private void Add(LoraPair pair)
    {
        Match match = Module().Match(pair.Module);
        if (!match.Success)
            throw AdapterTensors.Wrong(
                pair.A,
                "matches no matrix of the model. Adapters of the attention, the experts, the router and the head are "
                    + "read."
            );
        WeightRole role = RoleOf(match);
        int layer = Number(match, "layer", _base.NumHiddenLayers, pair.A, "layers"),
            expert = Number(match, "expert", _base.NumLocalExperts, pair.A, "experts");
        (int outputs, int inputs) = Size(role);
        if (match.Groups["tinker"].Success)
            AddShared(pair, role, layer);
        else
            Add(new(role, layer, expert), Plain(pair, outputs, inputs), pair);
    }

    private static WeightRole RoleOf(Match match)
    {
        string name = match.Groups["name"].Value;
        return name switch
        {
            "q" => WeightRole.Query,
            "k" => WeightRole.Key,
            "v" => WeightRole.Value,
            "o" => WeightRole.Output,
            "mlp.router" or "mlp.router.linear" => WeightRole.Router,
            "gate_up" => WeightRole.GateUp,
            "gate" or "w1" => WeightRole.Gate,
            "up" or "w3" => WeightRole.Up,
            "down" or "w2" => WeightRole.Down,
            _ => WeightRole.Head,
        };
    }

    // A group that the name does not have is 0.
    private static int Number(Match match, string group, int count, Tensor tensor, string what)
    {
        if (!match.Groups[group].Success)
            return 0;
        return int.TryParse(match.Groups[group].Value, CultureInfo.InvariantCulture, out int number) && number < count
            ? number
            : throw AdapterTensors.Wrong(
                tensor,
                $"is of number {match.Groups[group].Value}, but the base has {count} {what}: it is an adapter of "
                    + "another model."
            );
    }

    private (int Outputs, int Inputs) Size(WeightRole role) =>
        role switch
        {
            WeightRole.Query => (_base.QueryWidth, _base.HiddenSize),
            WeightRole.Key or WeightRole.Value => (_base.KeyValueWidth, _base.HiddenSize),
            WeightRole.Output => (_base.HiddenSize, _base.QueryWidth),
            WeightRole.Router => (_base.NumLocalExperts, _base.HiddenSize),
            WeightRole.GateUp => (2 * _base.IntermediateSize, _base.HiddenSize),
            WeightRole.Gate or WeightRole.Up => (_base.IntermediateSize, _base.HiddenSize),
            WeightRole.Down => (_base.HiddenSize, _base.IntermediateSize),
            _ => (_base.VocabSize, _base.HiddenSize),
        };

    private DeltaPiece Plain(LoraPair pair, int outputs, int inputs)
    {
        int rank =
            pair.A.Shape is [> 0 and <= int.MaxValue, var width] && width == inputs
                ? (int)pair.A.Shape[0]
                : throw Misfit(pair.A, $"[rank, {inputs}]");
        if (!pair.B.Shape.SequenceEqual([outputs, rank]))
            throw Misfit(pair.B, $"[{outputs}, {rank}]");
        return new(
            FactorView.ByRank(pair.A, rank, inputs),
            FactorView.ByWidth(pair.B, rank, outputs),
            Scale(pair, pair.Module, rank)
        );
    }

    private void AddShared(LoraPair pair, WeightRole role, int layer)
    {
        (int outputs, int inputs) = Size(role);
        int experts = _base.NumLocalExperts;
        if (
            pair.A.Shape is not [var ofA, > 0 and <= int.MaxValue, var width]
            || width != inputs
            || ofA != 1 && ofA != experts
        )
            throw Misfit(pair.A, $"[{experts} or 1, rank, {inputs}]");
        int rank = (int)pair.A.Shape[1];
        if (
            pair.B.Shape is not [var ofB, var height, var also]
            || (height, also) != (outputs, rank)
            || ofB != 1 && ofB != experts
        )
            throw Misfit(pair.B, $"[{experts} or 1, {outputs}, {rank}]");
        float scale = Scale(pair, pair.Module, rank);
        for (int e = 0; e < experts; e++)
        {
            long firstA = ofA == 1 ? 0 : (long)e * rank * inputs,
                firstB = ofB == 1 ? 0 : (long)e * rank * outputs;
            Add(
                new(role, layer, e),
                new(
                    FactorView.ByRank(pair.A, rank, inputs, firstA),
                    FactorView.ByWidth(pair.B, rank, outputs, firstB),
                    scale
                ),
                pair
            );
        }
    }

    // Of the two that a layer may have, gate_up is the one with a side of 2 × intermediate. Which axis is which, its
    // shape tells; down's only where hidden and intermediate differ, and else it follows gate_up.
    private void AddStacked(List<LoraPair> pairs)
    {
        (int outputs, int inputs) = Size(WeightRole.GateUp);
        bool? swapped = null;
        foreach (LoraPair pair in pairs.Where(pair => HasSides(pair, outputs, inputs)))
        {
            bool own = outputs != inputs && pair.A.Shape[1] == outputs;
            swapped ??= own;
            AddStacked(pair, WeightRole.GateUp, own);
        }
        foreach (LoraPair pair in pairs.Where(pair => !HasSides(pair, outputs, inputs)))
        {
            (int hidden, int intermediate) = Size(WeightRole.Down);
            if (!HasSides(pair, hidden, intermediate))
                throw MisfitOfStacked(pair);
            if (hidden != intermediate)
                AddStacked(pair, WeightRole.Down, pair.A.Shape[1] == hidden);
            else
            {
                if (swapped is null)
                    _notes.Add(
                        $"{pair.A.File}: '{Printable.Name(pair.Module)}' of down_proj may be stored in either order of "
                            + "its axes, and nothing tells which. It is read as PEFT's documentation has it."
                    );
                AddStacked(pair, WeightRole.Down, swapped ?? false);
            }
        }
    }

    // Where A has a side that a projection has, B is wrong.
    private CheckpointException MisfitOfStacked(LoraPair pair)
    {
        int hidden = _base.HiddenSize,
            intermediate = _base.IntermediateSize,
            experts = _base.NumLocalExperts;
        long side = pair.A.Shape is [_, var columns] ? columns : 0;
        string others = $"{intermediate} or {2 * intermediate}";
        return side == hidden ? Misfit(pair.B, $"[{others}, rank · {experts}]")
            : side == intermediate || side == 2 * intermediate ? Misfit(pair.B, $"[{hidden}, rank · {experts}]")
            : Misfit(pair.A, $"[{experts} · rank, {hidden}, {others}]");
    }

    private static bool HasSides(LoraPair pair, int one, int other) =>
        pair.A.Shape.Length == 2
        && pair.B.Shape.Length == 2
        && (pair.A.Shape[1], pair.B.Shape[0]) is var sides
        && (sides == (one, other) || sides == (other, one));

    private void AddStacked(LoraPair pair, WeightRole role, bool swapped)
    {
        Match match = StackedExperts().Match(pair.Module);
        int layer = Number(match, "layer", _base.NumHiddenLayers, pair.A, "layers"),
            experts = _base.NumLocalExperts,
            columns = (int)pair.A.Shape[1],
            rows = (int)pair.B.Shape[0];
        if (pair.A.Shape[0] % experts != 0 || pair.A.Shape[0] is 0 or > int.MaxValue)
            throw Misfit(pair.A, $"[{experts} · rank, {columns}]");
        int rank = (int)(pair.A.Shape[0] / experts);
        if (pair.B.Shape[1] != pair.A.Shape[0])
            throw Misfit(pair.B, $"[{rows}, {rank} · {experts}]");
        string parameter = $"{match.Groups["path"].Value}.{(role == WeightRole.GateUp ? "gate_up_proj" : "down_proj")}";
        float scale = Scale(pair, parameter, rank);
        for (int e = 0; e < experts; e++)
        {
            var a = FactorView.ByRank(pair.A, rank, columns, (long)e * rank * columns);
            var b = new FactorView(pair.B, rank, rows, e, experts, (long)rank * experts);
            Add(new(role, layer, e), swapped ? new(b, a, scale) : new(a, b, scale), pair);
        }
    }

    private void Add(WeightPlace place, DeltaPiece piece, LoraPair pair)
    {
        bool isTwice =
            !_pieces.TryAdd(place, piece)
            || place.Role is WeightRole.Gate or WeightRole.Up
                && _pieces.ContainsKey(place with { Role = WeightRole.GateUp })
            || place.Role == WeightRole.GateUp
                && (
                    _pieces.ContainsKey(place with { Role = WeightRole.Gate })
                    || _pieces.ContainsKey(place with { Role = WeightRole.Up })
                );
        if (isTwice)
            throw AdapterTensors.Wrong(pair.A, "is for a matrix for which the file holds another pair, too.");
    }

    private float Scale(LoraPair pair, string module, int rank)
    {
        _config.RequireRank(module, rank, pair.A.Name);
        return _config.Scale(module, rank);
    }

    private static CheckpointException Misfit(Tensor tensor, string shape) =>
        AdapterTensors.Wrong(
            tensor,
            $"should be {shape} for this base but is {tensor}. It is an adapter of another model, or another tool's "
                + "form."
        );

    [GeneratedRegex(
        @"\A((model\.)?layers\.(?<layer>[0-9]{1,9})\.((self_attn|attn)\.(?<name>[qkvo])_proj"
            + @"|(?<name>mlp\.router(\.linear)?)"
            + @"|mlp\.experts\.((?<name>gate_up|down)_projs\.(?<expert>[0-9]{1,9})"
            + @"|(?<expert>[0-9]{1,9})\.(?<name>gate_up|gate|up|down)_proj|(?<tinker>(?<name>w[123]))))"
            + @"|(model\.)?(?<name>lm_head|unembed_tokens))\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Module();

    [GeneratedRegex(
        @"\A(?<path>(model\.)?layers\.(?<layer>[0-9]{1,9})\.mlp\.experts)(\.base_layer)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
    )]
    private static partial Regex StackedExperts();
}
