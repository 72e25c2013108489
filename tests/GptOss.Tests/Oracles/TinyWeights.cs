namespace GptOss.Tests.Oracles;

/// <summary>
/// The random model itself, under the names of OpenAI's original layout, whatever layout it is written in.
/// </summary>
/// <remarks>
/// The sizes are chosen so that logits have a deviation of about 5, sinks take part of the attention without drowning
/// it,
/// both limits of the SwiGLU are met, blocks within a row differ in scale, and one embedding row is so small that the
/// norm's eps decides.
/// </remarks>
internal sealed class TinyWeights(TinyShape shape, int seed)
{
    private readonly Dictionary<string, TinyTensor> _tensors = [];

    public static Dictionary<string, TinyTensor> Make(TinyShape shape, int seed)
    {
        var weights = new TinyWeights(shape, seed);
        weights.AddEmbedding();
        for (int layer = 0; layer < shape.NumHiddenLayers; layer++)
        {
            weights.AddAttention($"block.{layer}.attn.");
            weights.AddExperts($"block.{layer}.mlp.");
        }

        int hidden = shape.HiddenSize;
        weights.AddNorm("norm.scale");
        weights.AddNormal("unembedding.weight", 5 / Math.Sqrt(hidden), shape.VocabSize, hidden);
        return weights._tensors;
    }

    private void AddEmbedding()
    {
        TinyRandom random = Random("embedding.weight");
        int hidden = shape.HiddenSize;
        double[] values = new double[shape.VocabSize * hidden];
        for (int token = 0; token < shape.VocabSize; token++)
        {
            double size = Math.Exp(random.Normal(0, 0.25)) * (token == 3 ? 0.002 : 1);
            for (int i = 0; i < hidden; i++)
                values[(token * hidden) + i] = random.Normal(0, size);
        }

        _tensors["embedding.weight"] = TinyTensor.BFloat16(values, shape.VocabSize, hidden);
    }

    private void AddAttention(string prefix)
    {
        int hidden = shape.HiddenSize;
        int queries = shape.NumAttentionHeads * shape.HeadDim,
            keys = shape.NumKeyValueHeads * shape.HeadDim;
        AddNorm(prefix + "norm.scale");

        TinyRandom random = Random(prefix + "qkv");
        double root = Math.Sqrt(hidden);
        double[] weight =
        [
            .. random.Normals((queries + keys) * hidden, 0, 1.15 / root),
            .. random.Normals(keys * hidden, 0, 1 / root),
        ];
        double[] bias = [.. random.Normals(queries + keys, 0, 0.5), .. random.Normals(keys, 0, 0.3)];
        _tensors[prefix + "qkv.weight"] = TinyTensor.BFloat16(weight, queries + keys + keys, hidden);
        _tensors[prefix + "qkv.bias"] = TinyTensor.BFloat16(bias, queries + keys + keys);

        double[] sinks = new double[shape.NumAttentionHeads];
        for (int head = 0; head < sinks.Length; head++)
            sinks[head] = 6 * random.Uniform();
        _tensors[prefix + "sinks"] = TinyTensor.BFloat16(sinks, sinks.Length);

        AddNormal(prefix + "out.weight", 1.3 / Math.Sqrt(queries), hidden, queries);
        AddNormal(prefix + "out.bias", 0.15, hidden);
    }

    private void AddExperts(string prefix)
    {
        int hidden = shape.HiddenSize,
            inner = shape.IntermediateSize,
            experts = shape.NumLocalExperts;
        AddNorm(prefix + "norm.scale");
        AddNormal(prefix + "gate.weight", 1.6 / Math.Sqrt(hidden), experts, hidden);
        AddNormal(prefix + "gate.bias", 1, experts);
        AddNormal(prefix + "mlp1_bias", 0.5, experts, 2 * inner);
        AddNormal(prefix + "mlp2_bias", 0.3, experts, hidden);

        double[] up = ExpertWeights(prefix + "mlp1", experts * 2 * inner, hidden, Math.Log(2.4), 0.5);
        double[] down = ExpertWeights(prefix + "mlp2", experts * hidden, inner, Math.Log(0.14), 0.3);
        up.AsSpan(hidden, Math.Min(32, hidden)).Clear(); // expert 0, output 1, first block
        int rest = Math.Min(32, inner),
            end = (((experts - 1) * hidden) + 1) * inner;
        down.AsSpan(end - rest, rest).Clear(); // last expert, output 0, last block
        AddExpertMatrix(prefix + "mlp1_weight", up, experts, 2 * inner, hidden);
        AddExpertMatrix(prefix + "mlp2_weight", down, experts, hidden, inner);
    }

    /// <summary>Weight rows of log-normal size whose blocks of 32 differ in size and hold a few outliers.</summary>
    private double[] ExpertWeights(string name, int outputs, int inputs, double logSize, double logDeviation)
    {
        TinyRandom random = Random(name);
        double[] values = new double[outputs * inputs];
        for (int output = 0; output < outputs; output++)
        {
            double size = Math.Exp(random.Normal(logSize, logDeviation)) / Math.Sqrt(inputs),
                block = 1;
            for (int i = 0; i < inputs; i++)
            {
                if (i % 32 == 0)
                    block = Math.Pow(2, random.Normal(0, 0.8)) / 1.36; // √E[4^N(0, 0.8)]: keeps the weight row's size
                double outlier = random.Uniform() < 0.004 ? 4 : 1;
                values[(output * inputs) + i] = random.Normal(0, size * block * outlier);
            }
        }

        return values;
    }

    private void AddExpertMatrix(string name, double[] values, int experts, int outputs, int inputs)
    {
        if (shape.Experts == TinyExperts.Mxfp4)
        {
            (byte[] blocks, byte[] scales) = TinyMxfp4.Quantize(values);
            _tensors[name + ".blocks"] = new TinyTensor("U8", [experts, outputs, inputs / 32, 16], blocks);
            _tensors[name + ".scales"] = new TinyTensor("U8", [experts, outputs, inputs / 32], scales);
            return;
        }

        double[] stored = shape.Experts == TinyExperts.BFloat16OfMxfp4 ? TinyMxfp4.Keep(values) : values;
        _tensors[name] = TinyTensor.BFloat16(stored, experts, outputs, inputs);
    }

    private void AddNorm(string name) =>
        _tensors[name] = TinyTensor.BFloat16(Random(name).LogNormals(shape.HiddenSize, 0, 0.25), shape.HiddenSize);

    private void AddNormal(string name, double deviation, params int[] dimensions)
    {
        int count = dimensions.Aggregate(1, (product, length) => product * length);
        _tensors[name] = TinyTensor.BFloat16(Random(name).Normals(count, 0, deviation), dimensions);
    }

    private TinyRandom Random(string name) => new(seed, name);
}
