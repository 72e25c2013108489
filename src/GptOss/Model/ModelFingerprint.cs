using System.Text;
using GptOss.Checkpoint;

namespace GptOss.Model;

/// <summary>
/// A number that tells models apart whose keys and values differ: of the configuration, and of every tensor its name,
/// type, shape and a sample of its values, those of an adapter and its scales among them.
/// </summary>
/// <remarks>
/// Reading all weights would take as long as loading them. The sample is 1 KiB at each of four places of every tensor:
/// training changes nearly every value, so that two fine-tunes of one shape differ in it. A weight that was damaged
/// outside of the sample is not noticed. FNV-1a with 64 bits, so that no library of the system is needed.
/// </remarks>
internal struct ModelFingerprint
{
    private const int SampleBytes = 1024,
        Places = 4;

    private ulong _hash;

    /// <summary>The fingerprint of a model, in whatever files and order its tensors lie.</summary>
    // Bound: a delta has as many scales as its rank (DeltaMemory.Of).
    public static unsafe ulong Of(ModelWeights weights)
    {
        var all = new ModelFingerprint { _hash = 0xCBF29CE484222325 };
        all.Add(weights.Config);
        foreach (Tensor tensor in weights.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
            all.Add(tensor);
        var scales = new List<float>();
        weights.Select(
            (_, matrix) =>
            {
                if (matrix.Delta is not null)
                    scales.AddRange(new ReadOnlySpan<float>(matrix.Delta->Scale, matrix.Delta->Rank));
                return matrix;
            }
        );
        foreach (float scale in scales)
            all.Add(BitConverter.SingleToInt32Bits(scale));
        return all._hash;
    }

    /// <summary>A fingerprint that also tells apart what else makes a difference, such as the precision.</summary>
    public static ulong With(ulong fingerprint, params ReadOnlySpan<int> choices)
    {
        var all = new ModelFingerprint { _hash = fingerprint };
        foreach (int choice in choices)
            all.Add(choice);
        return all._hash;
    }

    private void Add(ModelConfig c)
    {
        foreach (
            int size in (ReadOnlySpan<int>)
                [
                    c.NumHiddenLayers,
                    c.HiddenSize,
                    c.IntermediateSize,
                    c.NumAttentionHeads,
                    c.NumKeyValueHeads,
                    c.HeadDim,
                    c.NumLocalExperts,
                    c.ExpertsPerToken,
                    c.VocabSize,
                    c.SlidingWindow,
                ]
        )
            Add(size);
        foreach (bool isSliding in c.IsSliding)
            Add(isSliding ? 1 : 0);
        foreach (float number in (ReadOnlySpan<float>)[c.RmsNormEps, c.SwiGluLimit, c.SwiGluAlpha])
            Add(BitConverter.SingleToInt32Bits(number));
        RopeConfig rope = c.Rope;
        foreach (
            double number in (ReadOnlySpan<double>)
                [
                    rope.Theta,
                    rope.Factor,
                    rope.BetaFast,
                    rope.BetaSlow,
                    rope.OriginalContext,
                    rope.Truncate ? 1 : 0,
                    rope.AttentionFactor ?? 0,
                ]
        )
            Add(BitConverter.DoubleToInt64Bits(number));
    }

    // Bound: a sample is at most the ByteLength of the tensor, and the last one ends with it.
    private unsafe void Add(Tensor tensor)
    {
        Add(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.DType.Spelling()}"));
        foreach (long size in tensor.Shape)
            Add(size);
        long bytes = Math.Min(SampleBytes, tensor.ByteLength);
        for (int place = 0; place < Places; place++)
            Add(new ReadOnlySpan<byte>(tensor.Data + (tensor.ByteLength - bytes) * place / (Places - 1), (int)bytes));
    }

    private void Add(long number)
    {
        for (int shift = 0; shift < 64; shift += 8)
            Add([(byte)(number >> shift)]);
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        foreach (byte next in bytes)
            _hash = (_hash ^ next) * 0x100000001B3;
    }
}
