using System.Buffers.Binary;
using GptOss.Kernels.Formats;
using GptOss.Model;

namespace GptOss.Cli.Convert;

/// <summary>
/// The tensors of one projection of a layer's experts, <c>gate_up_proj</c> or <c>down_proj</c>: codes and scales, or
/// numbers stored input by input; and the biases. One expert is in memory at a time.
/// </summary>
/// <param name="name">The name without its ending, such as <c>model.layers.0.mlp.experts.down_proj</c>.</param>
/// <param name="experts">The matrices, with the deltas of an adapter where there is one.</param>
/// <param name="report">Told the error of a tensor that was packed, relative to the size of its values.</param>
internal sealed class ExpertTensors(string name, ExpertMatrices experts, Action<string, double> report)
{
    private readonly bool _isApart = experts.Up is not null;
    private readonly int _outputs = experts[0].Outputs * (experts.Up is null ? 1 : 2),
        _inputs = experts[0].Inputs;
    private byte[] _scales = [];

    /// <summary>Whether all codes of the files can be copied: they are MXFP4, and nothing is added to them.</summary>
    public static bool AreMxfp4(ExpertMatrices experts) =>
        Enumerable.Range(0, experts.Count).All(e => Of(experts[e]) && (experts.Up is not { } up || Of(up[e])));

    private static bool Of(Matrix matrix) => new MergedMatrix(matrix, "").IsMxfp4;

    /// <summary>The tensors in the form that was asked for.</summary>
    public IEnumerable<OutputTensor> In(ExpertForm form)
    {
        int count = experts.Count;
        if (form == ExpertForm.BFloat16)
            yield return OutputTensor.BFloat16(name, [count, _inputs, _outputs], WriteNumbers);
        else
        {
            int blocks = _inputs / Mxfp4.BlockValues;
            yield return OutputTensor.Byte(name + "_blocks", [count, _outputs, blocks, Mxfp4.BlockBytes], WriteBlocks);
            yield return OutputTensor.Byte(name + "_scales", [count, _outputs, blocks], WriteScales);
        }
        yield return OutputTensor.BFloat16(name + "_bias", [count, _outputs], WriteBias);
    }

    private void WriteNumbers(Stream stream, CancellationToken stop)
    {
        byte[] turned = new byte[2 * _inputs * _outputs];
        float[] row = new float[_inputs];
        for (int e = 0; e < experts.Count; e++)
        {
            (MergedMatrix first, MergedMatrix? up) = Matrices(e);
            for (int o = 0; o < _outputs; o++)
            {
                stop.ThrowIfCancellationRequested();
                Read(first, up, o, row);
                for (int i = 0; i < _inputs; i++)
                    BinaryPrimitives.WriteUInt16LittleEndian(
                        turned.AsSpan(2 * (i * _outputs + o)),
                        BFloat16Writer.Round(row[i])
                    );
            }
            stream.Write(turned);
        }
    }

    // The scales are kept until their turn comes, behind the blocks.
    private void WriteBlocks(Stream stream, CancellationToken stop)
    {
        int blocks = _inputs / Mxfp4.BlockValues;
        _scales = new byte[experts.Count * _outputs * blocks];
        byte[] codes = new byte[blocks * Mxfp4.BlockBytes];
        float[] row = new float[_inputs];
        double error = 0,
            size = 0;
        bool isPacked = false;
        for (int e = 0; e < experts.Count; e++)
        {
            (MergedMatrix first, MergedMatrix? up) = Matrices(e);
            for (int o = 0; o < _outputs; o++)
            {
                stop.ThrowIfCancellationRequested();
                Span<byte> scales = _scales.AsSpan((e * _outputs + o) * blocks, blocks);
                MergedMatrix matrix = Of(first, up, o, out int output);
                if (matrix.IsMxfp4)
                    matrix.Copy(output, codes, scales);
                else
                {
                    matrix.Read(output, row);
                    Mxfp4Packing.Pack(row, codes, scales);
                    AddError(row, codes, scales, ref error, ref size);
                    isPacked = true;
                }
                stream.Write(codes);
            }
        }
        if (isPacked)
            report(name, size == 0 ? 0 : Math.Sqrt(error / size));
    }

    private void WriteScales(Stream stream, CancellationToken stop)
    {
        stream.Write(_scales);
        _scales = [];
    }

    private void WriteBias(Stream stream, CancellationToken stop)
    {
        float[] values = new float[_outputs],
            half = new float[_outputs / 2];
        byte[] buffer = new byte[2 * _outputs];
        for (int e = 0; e < experts.Count; e++)
        {
            if (experts.Up is { } up)
            {
                foreach ((Matrix matrix, int from) in new[] { (experts[e], 0), (up[e], 1) })
                {
                    matrix.Bias.Widen(0, half);
                    for (int i = 0; i < half.Length; i++)
                        values[2 * i + from] = half[i];
                }
            }
            else
                experts[e].Bias.Widen(0, values);
            if (BFloat16Writer.IndexOfNotFinite(values) is >= 0 and int at)
                throw MergedMatrix.NotFinite(name + "_bias", $"expert {e}, output {at}");
            BFloat16Writer.Write(stream, values, buffer);
        }
    }

    private (MergedMatrix First, MergedMatrix? Up) Matrices(int expert) =>
        (
            new MergedMatrix(experts[expert], $"{name} of expert {expert}"),
            _isApart ? new MergedMatrix(experts.Up![expert], $"{name} of expert {expert}") : null
        );

    // The gate's outputs are the even ones, up's the odd ones.
    private static MergedMatrix Of(MergedMatrix first, MergedMatrix? up, int output, out int own)
    {
        own = up is null ? output : output / 2;
        return up is null || output % 2 == 0 ? first : up;
    }

    private static void Read(MergedMatrix first, MergedMatrix? up, int output, float[] row) =>
        Of(first, up, output, out int own).Read(own, row);

    private static void AddError(
        float[] row,
        ReadOnlySpan<byte> codes,
        ReadOnlySpan<byte> scales,
        ref double error,
        ref double size
    )
    {
        for (int i = 0; i < row.Length; i++)
        {
            int code = codes[i / 2] >> 4 * (i % 2) & 15;
            double difference = (double)Mxfp4.Value(code) * Mxfp4.Scale(scales[i / Mxfp4.BlockValues]) - row[i];
            error += difference * difference;
            size += (double)row[i] * row[i];
        }
    }
}
