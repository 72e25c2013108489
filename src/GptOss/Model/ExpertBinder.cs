using GptOss.Checkpoint;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Binds the experts' matrices in every form in which tools save them. The form is told by the names alone.
/// </summary>
/// <remarks>
/// MXFP4 where the blocks are there; else one tensor for all experts, which Hugging Face stores by inputs and OpenAI by
/// outputs; else one tensor an expert: in a list (<c>gate_up_projs.3.weight</c>, Unsloth), or by expert
/// (<c>3.gate_proj.weight</c> and <c>3.up_proj.weight</c>, llm-compressor and bridges), gate being the even outputs.
/// </remarks>
internal static unsafe class ExpertBinder
{
    /// <param name="file">The folder.</param>
    /// <param name="c">Its config.</param>
    /// <param name="experts">Such as <c>model.layers.0.mlp.experts</c>.</param>
    /// <param name="projection"><c>gate_up_proj</c> or <c>down_proj</c>.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <exception cref="CheckpointException">A tensor is missing, or of another type or shape.</exception>
    public static ExpertMatrices HuggingFace(
        CheckpointFolder file,
        ModelConfig c,
        string experts,
        string projection,
        int rows,
        int columns
    )
    {
        string name = $"{experts}.{projection}";
        bool packed = file.TryGet(name + "_blocks", out _);
        if (!packed && file.TryGet(name, out _))
            return Fused(file, c, name, name + "_bias", rows, columns, byInputs: true);
        bool Any(string start, string end) =>
            !packed && Enumerable.Range(0, c.NumLocalExperts).Any(e => file.TryGet($"{start}{e}{end}", out _));
        if (Any($"{name}s.", ".weight"))
            return OneByOne(c, e => Single(file, $"{name}s.{e}", rows, columns));
        if (Any($"{experts}.", $".{projection}.weight"))
            return OneByOne(c, e => Single(file, $"{experts}.{e}.{projection}", rows, columns));
        if (projection == "gate_up_proj" && Any($"{experts}.", ".gate_proj.weight"))
            return OneByOne(c, e => Pair(file, $"{experts}.{e}.gate_proj", $"{experts}.{e}.up_proj", rows, columns));
        return Mxfp4Rows(file, c, name, "_", name + "_bias", rows, columns);
    }

    /// <param name="file">The folder.</param>
    /// <param name="c">Its config.</param>
    /// <param name="name">Such as <c>block.0.mlp.mlp1</c>.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <exception cref="CheckpointException">A tensor is missing, or of another type or shape.</exception>
    public static ExpertMatrices Original(CheckpointFolder file, ModelConfig c, string name, int rows, int columns) =>
        file.TryGet(name + "_weight", out _) && !file.TryGet(name + "_weight.blocks", out _)
            ? Fused(file, c, name + "_weight", name + "_bias", rows, columns, byInputs: false)
            : Mxfp4Rows(file, c, name + "_weight", ".", name + "_bias", rows, columns);

    private static ExpertMatrices OneByOne(ModelConfig c, Func<int, Matrix> bind) =>
        new([.. Enumerable.Range(0, c.NumLocalExperts).Select(bind)]);

    private static Matrix Single(CheckpointFolder file, string name, int rows, int columns) =>
        TensorReader.Rows(file, name + ".weight", rows, columns, TensorReader.Numbers(file, name + ".bias", rows));

    // Gate and up apart: the even and the odd outputs.
    private static Matrix Pair(CheckpointFolder file, string gate, string up, int rows, int columns)
    {
        Numbers even = TensorReader.Numbers(file, gate + ".weight", rows / 2, columns);
        return new Matrix
        {
            Kind = MatrixKind.PlainRows,
            Rows = rows,
            Columns = columns,
            Data = even.Data,
            Format = even.Format,
            Odd = TensorReader.Numbers(file, up + ".weight", rows / 2, columns),
            Bias = TensorReader.Numbers(file, gate + ".bias", rows / 2),
            OddBias = TensorReader.Numbers(file, up + ".bias", rows / 2),
        };
    }

    private static ExpertMatrices Fused(
        CheckpointFolder file,
        ModelConfig c,
        string name,
        string bias,
        int rows,
        int columns,
        bool byInputs
    )
    {
        int experts = c.NumLocalExperts;
        Numbers weights = byInputs
            ? TensorReader.Numbers(file, name, experts, columns, rows)
            : TensorReader.Numbers(file, name, experts, rows, columns);
        bool isBFloat16 = weights.Format == NumberFormat.BFloat16;
        return ExpertMatrices.Contiguous(
            new Matrix
            {
                Kind = byInputs
                    ? isBFloat16
                        ? MatrixKind.BFloat16Columns
                        : MatrixKind.PlainColumns
                    : isBFloat16
                        ? MatrixKind.BFloat16Rows
                        : MatrixKind.PlainRows,
                Rows = rows,
                Columns = columns,
                Data = weights.Data,
                Format = weights.Format,
                Bias = TensorReader.Numbers(file, bias, experts, rows),
            },
            experts
        );
    }

    private static ExpertMatrices Mxfp4Rows(
        CheckpointFolder file,
        ModelConfig c,
        string name,
        string separator,
        string bias,
        int rows,
        int columns
    )
    {
        int experts = c.NumLocalExperts;
        Tensor blocks = file.Get($"{name}{separator}blocks");
        if (columns % Mxfp4.BlockValues != 0)
            throw new CheckpointException(
                blocks.File,
                $"is MXFP4, whose rows are whole blocks of 32 values, but the config gives rows of {columns}.",
                blocks.Name
            );
        Tensor scales = file.Get($"{name}{separator}scales");
        // E8M0 is the name of what OpenAI stores as U8: the exponent's byte.
        DType scaleType = scales.DType == DType.F8E8M0 ? DType.F8E8M0 : DType.U8;
        return ExpertMatrices.Contiguous(
            new Matrix
            {
                Kind = MatrixKind.Mxfp4Rows,
                Rows = rows,
                Columns = columns,
                Data = blocks.Expect(DType.U8, experts, rows, columns / Mxfp4.BlockValues, Mxfp4.BlockBytes).Data,
                Scales = scales.Expect(scaleType, experts, rows, columns / Mxfp4.BlockValues).Data,
                Bias = TensorReader.Numbers(file, bias, experts, rows),
            },
            experts
        );
    }
}
