using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// The same projection of every expert of a layer, such as all down projections: one matrix per expert.
/// </summary>
/// <param name="experts">All have the same number of outputs and of inputs. Of gate and up apart, the gates.</param>
/// <param name="up">The up matrices, where gate and up lie apart; else null.</param>
internal sealed class ExpertMatrices(Matrix[] experts, Matrix[]? up = null)
{
    private readonly Matrix[] _experts = experts;

    public int Count => _experts.Length;

    public Matrix this[int expert] => _experts[expert];

    /// <summary>The up matrix of each expert, where this has gate and up in two matrices; else null.</summary>
    public IReadOnlyList<Matrix>? Up => up;

    /// <summary>Bytes of weights, scales and biases of one expert.</summary>
    public long Bytes => _experts[0].Bytes + (up is null ? 0 : up[0].Bytes);

    /// <summary>Gate and up of every expert in two matrices of the same sizes.</summary>
    public static ExpertMatrices Apart(ExpertMatrices gate, ExpertMatrices up) => new(gate._experts, up._experts);

    /// <summary>The matrices of experts that lie one behind the other in memory.</summary>
    /// <param name="first">The matrix of expert 0.</param>
    /// <param name="count">Number of experts in all.</param>
    // Bound: TensorReader has compared the whole tensor's shape with the number of experts; expert e begins e matrices
    // behind the first.
    public static unsafe ExpertMatrices Contiguous(Matrix first, int count)
    {
        // Formats with scales apart have one byte of them for each block of 32 values.
        long scales = first.Scales is null ? 0 : (long)first.Outputs * first.Inputs / Mxfp4.BlockValues,
            bytes = first.Format.Bytes(first.Outputs, first.Inputs) - scales;
        return new ExpertMatrices([
            .. Enumerable
                .Range(0, count)
                .Select(expert => new Matrix
                {
                    Format = first.Format,
                    Layout = first.Layout,
                    Outputs = first.Outputs,
                    Inputs = first.Inputs,
                    Data = first.Data + expert * bytes,
                    Scales = first.Scales is null ? null : first.Scales + expert * scales,
                    Bias = first.Bias.From((long)expert * first.Outputs),
                }),
        ]);
    }

    /// <summary>The experts' matrices, each changed by <paramref name="form"/>.</summary>
    /// <param name="role">What the matrices do; the gates of gate and up apart get the role of a gate.</param>
    /// <param name="layer">Number of the layer.</param>
    /// <param name="form">Makes the new matrix from its place and the old one.</param>
    public ExpertMatrices Select(WeightRole role, int layer, Func<WeightPlace, Matrix, Matrix> form)
    {
        Matrix[] Form(Matrix[] all, WeightRole one) =>
            [.. all.Select((matrix, expert) => form(new(one, layer, expert), matrix))];
        return up is null ? new(Form(_experts, role)) : new(Form(_experts, WeightRole.Gate), Form(up, WeightRole.Up));
    }
}
