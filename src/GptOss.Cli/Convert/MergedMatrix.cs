using GptOss.Kernels.Formats;
using GptOss.Model;

namespace GptOss.Cli.Convert;

/// <summary>
/// A matrix output by output as float32, with what an adapter adds to it: <c>w + Σₖ s[k] · B[k, o] · A[k]</c>.
/// </summary>
// Bound: the factors of a delta have the sizes of its matrix, which DeltaMemory.Of gave them; rows and outputs are
// checked by WeightFormats.Widen and Mxfp4Packing.Copy.
internal sealed unsafe class MergedMatrix
{
    private readonly Matrix _matrix;
    private readonly string _name;
    private readonly float[] _a = [],
        _b = [];

    /// <param name="matrix">The weights, and the delta of an adapter where there is one.</param>
    /// <param name="name">The tensor to be written, as messages name it.</param>
    public MergedMatrix(Matrix matrix, string name)
    {
        (_matrix, _name) = (matrix, name);
        if (matrix.Delta is null)
            return;
        Delta delta = *matrix.Delta;
        _a = new float[delta.Rank * matrix.Inputs];
        _b = new float[delta.Rank * matrix.Outputs];
        new Numbers(delta.A, delta.FormatA).Widen(0, _a);
        new Numbers(delta.B, delta.FormatB).Widen(0, _b);
    }

    public int Outputs => _matrix.Outputs;

    public int Inputs => _matrix.Inputs;

    /// <summary>Whether the codes of the file can be copied: they are MXFP4, and nothing is added to them.</summary>
    public bool IsMxfp4 => _matrix.Delta is null && Mxfp4Packing.IsMxfp4(_matrix.Format);

    /// <summary>Gives the weights of one output.</summary>
    /// <exception cref="CheckpointException">A weight is not finite; the message names the tensor and its
    /// place.</exception>
    public void Read(int output, Span<float> row)
    {
        _matrix.Widen(output, row);
        if (_matrix.Delta is not null)
            for (int k = 0; k < _matrix.Delta->Rank; k++)
            {
                float factor = _matrix.Delta->Scale[k] * _b[k * Outputs + output];
                ReadOnlySpan<float> a = _a.AsSpan(k * Inputs, Inputs);
                for (int i = 0; i < row.Length; i++)
                    row[i] = MathF.FusedMultiplyAdd(factor, a[i], row[i]);
            }
        int at = BFloat16Writer.IndexOfNotFinite(row);
        if (at >= 0)
            throw NotFinite(_name, $"output {output}, input {at}");
    }

    /// <summary>Copies the codes and the scales of one output of MXFP4.</summary>
    public void Copy(int output, Span<byte> blocks, Span<byte> scales) =>
        Mxfp4Packing.Copy(_matrix.Format, _matrix.Weights, output, blocks, scales);

    /// <summary>The error for a value that no model can have.</summary>
    public static CheckpointException NotFinite(string tensor, string place) =>
        new(
            tensor,
            $"holds a value that is not finite at {place}. Download the file again, or compare it with its origin."
        );
}
