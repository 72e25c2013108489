namespace GptOss.Tests.Oracles;

/// <summary>
/// One model in the forms in which training tools save it: other names, other cuts of the experts, other types.
/// </summary>
/// <remarks>
/// The values of <see cref="Base"/> are numbers of bfloat16 and also of binary16, so that no type rounds any of them
/// and every form is the same model. Source of the forms: make_finetune_fixture.py beside the fixtures of the
/// specification.
/// </remarks>
internal static class FineTunes
{
    public static readonly string[] Types = ["BF16", "F16", "F32"];

    /// <summary>Forms that change names and cuts, from the tensors of <see cref="Base"/>.</summary>
    public static IReadOnlyDictionary<
        string,
        Func<Dictionary<string, TinyTensor>, Dictionary<string, TinyTensor>>
    > Forms { get; } =
        new Dictionary<string, Func<Dictionary<string, TinyTensor>, Dictionary<string, TinyTensor>>>
        {
            ["fused"] = tensors => tensors,
            ["lists"] = tensors => Cut(tensors, (experts, projection, expert) => [$"{experts}.{projection}s.{expert}"]),
            ["by expert"] = tensors =>
                Cut(tensors, (experts, projection, expert) => [$"{experts}.{expert}.{projection}"]),
            ["by expert, gate and up apart"] = tensors =>
                Cut(tensors, (experts, projection, expert) =>
                    projection == "down_proj"
                        ? [$"{experts}.{expert}.down_proj"]
                        : [$"{experts}.{expert}.gate_proj", $"{experts}.{expert}.up_proj"]
                ),
            ["router.linear"] = tensors =>
                Renamed(tensors, name => name.Replace(".router.", ".router.linear.", StringComparison.Ordinal)),
            ["lists, router.linear"] = tensors => Forms!["router.linear"](Forms["lists"](tensors)),
            ["base_model.model."] = tensors => Renamed(tensors, name => "base_model.model." + name),
            ["module."] = tensors => Renamed(tensors, name => "module." + name),
            ["_orig_mod. in module."] = tensors => Renamed(tensors, name => "module._orig_mod." + name),
        };

    /// <summary>A tiny model with plain experts in the Hugging Face layout.</summary>
    public static Dictionary<string, TinyTensor> Base(TinyShape shape, int seed)
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, shape with { Experts = TinyExperts.BFloat16 }, seed);
        // The smallest binary16 with all its digits is 2⁻¹⁴.
        return Read(folder.Path)
            .ToDictionary(
                pair => pair.Key,
                pair =>
                    TinyTensor.Of(
                        "BF16",
                        Array.ConvertAll(pair.Value.Values, value => Math.Abs(value) < 1f / 16384 ? 0 : value),
                        pair.Value.Shape
                    )
            );
    }

    /// <summary>All tensors of a folder.</summary>
    public static unsafe Dictionary<string, TinyTensor> Read(string path)
    {
        using var files = GptOss.Checkpoint.Safetensors.SafetensorsFolder.Open(path);
        return files.Tensors.ToDictionary(
            tensor => tensor.Name,
            tensor => new TinyTensor(
                GptOss.Checkpoint.DTypes.Spelling(tensor.DType),
                [.. tensor.Shape.ToArray().Select(length => (int)length)],
                new ReadOnlySpan<byte>(tensor.Data, (int)tensor.ByteLength).ToArray()
            )
        );
    }

    /// <summary>Every tensor in a type that a seed chooses.</summary>
    public static Dictionary<string, TinyTensor> Typed(Dictionary<string, TinyTensor> tensors, int seed)
    {
        var random = new Random(seed);
        return tensors.ToDictionary(
            pair => pair.Key,
            pair => pair.Value.DType == "U8" ? pair.Value : pair.Value.As(Types[random.Next(Types.Length)])
        );
    }

    private static Dictionary<string, TinyTensor> Renamed(
        Dictionary<string, TinyTensor> tensors,
        Func<string, string> rename
    ) => tensors.ToDictionary(pair => rename(pair.Key), pair => pair.Value);

    // Fused experts to one tensor each, [outputs, inputs] as any linear layer; two names are the even and the odd
    // outputs.
    private static Dictionary<string, TinyTensor> Cut(
        Dictionary<string, TinyTensor> tensors,
        Func<string, string, int, string[]> names
    )
    {
        var cut = new Dictionary<string, TinyTensor>();
        foreach ((string name, TinyTensor tensor) in tensors)
        {
            int at = name.IndexOf(".experts.", StringComparison.Ordinal);
            if (at < 0)
            {
                cut.Add(name, tensor);
                continue;
            }
            string experts = name[..(at + ".experts".Length)],
                projection = name[(at + ".experts.".Length)..];
            bool bias = projection.EndsWith("_bias", StringComparison.Ordinal);
            string end = bias ? ".bias" : ".weight";
            for (int expert = 0; expert < tensor.Shape[0]; expert++)
            {
                TinyTensor one = bias ? tensor.Member(expert) : tensor.Member(expert).Turned();
                string[] to = names(experts, projection.Replace("_bias", "", StringComparison.Ordinal), expert);
                for (int part = 0; part < to.Length; part++)
                    cut.Add(to[part] + end, to.Length == 1 ? one : one.EverySecond(part));
            }
        }
        return cut;
    }
}
