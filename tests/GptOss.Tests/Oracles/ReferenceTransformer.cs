namespace GptOss.Tests.Oracles;

/// <summary>
/// gpt-oss in float64, written from the equations: no cache, no chunks, no threads, no SIMD. What everything else is
/// compared with.
/// </summary>
/// <remarks>
/// Source: openai/gpt-oss, gpt_oss/torch/model.py. Agrees with the stored logits of the fixtures
/// (ReferenceTransformerTests).
/// </remarks>
internal sealed class ReferenceTransformer
{
    private readonly ReferenceConfig _config;
    private readonly Layer[] _layers;
    private readonly double[] _embedding,
        _finalNorm,
        _unembedding;

    public ReferenceTransformer(string folder)
    {
        var files = new ReferenceFolder(folder);
        _config = new ReferenceConfig(files);
        bool hf = files.IsHuggingFace;
        _embedding = files.Values(hf ? "model.embed_tokens.weight" : "embedding.weight");
        _finalNorm = files.Values(hf ? "model.norm.weight" : "norm.scale");
        _unembedding = files.Values(hf ? "lm_head.weight" : "unembedding.weight");
        _layers = [.. Enumerable.Range(0, _config.Layers).Select(n => hf ? HuggingFace(files, n) : Original(files, n))];
    }

    public int VocabSize => _config.Vocab;

    /// <summary>
    /// Of the last call: the smallest score that lay between the last expert taken and the first one left, over all
    /// layers and positions.
    /// </summary>
    /// <remarks>Where it is near float32's rounding, an engine may take another expert and be right.</remarks>
    public double SmallestRouterGap { get; private set; }

    /// <summary>The logits [vocab] of every position.</summary>
    public double[][] Logits(IReadOnlyList<int> tokens)
    {
        SmallestRouterGap = double.PositiveInfinity;
        int hidden = _config.Hidden;
        double[][] x = [.. tokens.Select(token => _embedding[(token * hidden)..((token + 1) * hidden)])];
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            AddAttention(x, _layers[layer], _config.Window[layer]);
            foreach (double[] row in x)
                AddExperts(row, _layers[layer]);
        }

        return [.. x.Select(row => Affine(RmsNorm(row, _finalNorm), _unembedding, new double[_config.Vocab]))];
    }

    /// <summary>
    /// The most likely token after the prompt, then after that one, and so on; the lowest id wins a tie.
    /// </summary>
    public int[] Greedy(IReadOnlyList<int> prompt, int count)
    {
        List<int> tokens = [.. prompt];
        for (int i = 0; i < count; i++)
        {
            double[] last = Logits(tokens)[^1];
            tokens.Add(Array.IndexOf(last, last.Max()));
        }

        return [.. tokens.Skip(prompt.Count)];
    }

    private void AddAttention(double[][] x, Layer w, int window)
    {
        int d = _config.HeadDim,
            queriesPerKey = _config.Heads / _config.KvHeads;
        double[][] normed = [.. x.Select(row => RmsNorm(row, w.AttentionNorm))];
        double[][] q = [.. normed.Select((row, p) => Rotate(Affine(row, w.Query, w.QueryBias), p))];
        double[][] k = [.. normed.Select((row, p) => Rotate(Affine(row, w.Key, w.KeyBias), p))];
        double[][] v = [.. normed.Select(row => Affine(row, w.Value, w.ValueBias))];

        for (int p = 0; p < x.Length; p++)
        {
            double[] mixed = new double[_config.Heads * d];
            for (int head = 0; head < _config.Heads; head++)
            {
                int at = head * d,
                    kvAt = head / queriesPerKey * d;
                int first = window > p ? 0 : p - window + 1;
                double[] scores = new double[p - first + 1];
                for (int j = first; j <= p; j++)
                    scores[j - first] = Dot(q[p], at, k[j], kvAt, d) / Math.Sqrt(d);

                // The sink takes a share of the softmax and gives no value.
                double most = Math.Max(scores.Max(), w.Sinks[head]);
                double sum = Math.Exp(w.Sinks[head] - most) + scores.Sum(score => Math.Exp(score - most));
                for (int j = first; j <= p; j++)
                {
                    double share = Math.Exp(scores[j - first] - most) / sum;
                    for (int i = 0; i < d; i++)
                        mixed[at + i] += share * v[j][kvAt + i];
                }
            }

            Add(x[p], Affine(mixed, w.Output, w.OutputBias), 1);
        }
    }

    private void AddExperts(double[] x, Layer w)
    {
        double[] t = RmsNorm(x, w.ExpertNorm);
        double[] scores = Affine(t, w.Router, w.RouterBias);

        // The order is stable: of equal scores the lowest index comes first.
        int[] order = [.. Enumerable.Range(0, scores.Length).OrderByDescending(e => scores[e])];
        int[] chosen = order[.._config.ExpertsPerToken];
        if (chosen.Length < order.Length)
            SmallestRouterGap = Math.Min(SmallestRouterGap, scores[chosen[^1]] - scores[order[chosen.Length]]);

        double sum = chosen.Sum(e => Math.Exp(scores[e] - scores[chosen[0]]));
        foreach (int e in chosen)
        {
            double[] up = Affine(t, w.Up, w.UpBias, e, 2 * _config.Inner);
            double[] hidden = new double[_config.Inner];
            for (int i = 0; i < hidden.Length; i++)
            {
                double gate = Math.Min(up[2 * i], _config.Limit);
                double linear = Math.Clamp(up[(2 * i) + 1], -_config.Limit, _config.Limit);
                hidden[i] = gate / (1 + Math.Exp(-1.702 * gate)) * (linear + 1);
            }

            double share = Math.Exp(scores[e] - scores[chosen[0]]) / sum;
            Add(x, Affine(hidden, w.Down, w.DownBias, e, _config.Hidden), share);
        }
    }

    /// <summary>Turns the pair (i, i + headDim/2) of every head by position · frequency[i].</summary>
    private double[] Rotate(double[] heads, int position)
    {
        int half = _config.HeadDim / 2;
        for (int at = 0; at < heads.Length; at += 2 * half)
        {
            for (int i = 0; i < half; i++)
            {
                (double sin, double cos) = Math.SinCos(position * _config.Frequencies[i]);
                (sin, cos) = (sin * _config.Concentration, cos * _config.Concentration);
                (double a, double b) = (heads[at + i], heads[at + half + i]);
                (heads[at + i], heads[at + half + i]) = ((a * cos) - (b * sin), (b * cos) + (a * sin));
            }
        }

        return heads;
    }

    private double[] RmsNorm(double[] x, double[] weight)
    {
        double scale = 1 / Math.Sqrt(x.Average(value => value * value) + _config.Eps);
        return [.. x.Select((value, i) => value * scale * weight[i])];
    }

    private static double[] Affine(double[] x, double[] weight, double[] bias) =>
        Affine(x, weight, bias, 0, bias.Length);

    /// <summary>
    /// y = W x + b with the matrix of one expert: weight [experts, outputs, x.Length], bias [experts, outputs].
    /// </summary>
    private static double[] Affine(double[] x, double[] weight, double[] bias, int expert, int outputs)
    {
        double[] y = new double[outputs];
        for (int output = 0; output < outputs; output++)
        {
            int at = (expert * outputs) + output;
            y[output] = bias[at] + Dot(weight, at * x.Length, x, 0, x.Length);
        }

        return y;
    }

    private static double Dot(double[] a, int aAt, double[] b, int bAt, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
            sum += a[aAt + i] * b[bAt + i];
        return sum;
    }

    private static void Add(double[] x, double[] y, double share)
    {
        for (int i = 0; i < x.Length; i++)
            x[i] += share * y[i];
    }

    private Layer HuggingFace(ReferenceFolder files, int layer)
    {
        double[] T(string name) => files.Values($"model.layers.{layer}.{name}");
        string experts = $"model.layers.{layer}.mlp.experts.";
        return new Layer(
            T("input_layernorm.weight"),
            T("self_attn.q_proj.weight"),
            T("self_attn.q_proj.bias"),
            T("self_attn.k_proj.weight"),
            T("self_attn.k_proj.bias"),
            T("self_attn.v_proj.weight"),
            T("self_attn.v_proj.bias"),
            T("self_attn.sinks"),
            T("self_attn.o_proj.weight"),
            T("self_attn.o_proj.bias"),
            T("post_attention_layernorm.weight"),
            T("mlp.router.weight"),
            T("mlp.router.bias"),
            files.Experts(experts + "gate_up_proj", 2 * _config.Inner, _config.Hidden),
            T("mlp.experts.gate_up_proj_bias"),
            files.Experts(experts + "down_proj", _config.Hidden, _config.Inner),
            T("mlp.experts.down_proj_bias")
        );
    }

    private Layer Original(ReferenceFolder files, int layer)
    {
        double[] T(string name) => files.Values($"block.{layer}.{name}");
        int hidden = _config.Hidden;
        int queries = _config.Heads * _config.HeadDim,
            keys = _config.KvHeads * _config.HeadDim;
        double[] weight = T("attn.qkv.weight"),
            bias = T("attn.qkv.bias");
        return new Layer(
            T("attn.norm.scale"),
            weight[..(queries * hidden)],
            bias[..queries],
            weight[(queries * hidden)..((queries + keys) * hidden)],
            bias[queries..(queries + keys)],
            weight[((queries + keys) * hidden)..],
            bias[(queries + keys)..],
            T("attn.sinks"),
            T("attn.out.weight"),
            T("attn.out.bias"),
            T("mlp.norm.scale"),
            T("mlp.gate.weight"),
            T("mlp.gate.bias"),
            files.Experts($"block.{layer}.mlp.mlp1_weight", 2 * _config.Inner, hidden),
            T("mlp.mlp1_bias"),
            files.Experts($"block.{layer}.mlp.mlp2_weight", hidden, _config.Inner),
            T("mlp.mlp2_bias")
        );
    }

    /// <summary>Matrices are [outputs, inputs], row major; the experts' have a leading dimension of experts.</summary>
    private sealed record Layer(
        double[] AttentionNorm,
        double[] Query,
        double[] QueryBias,
        double[] Key,
        double[] KeyBias,
        double[] Value,
        double[] ValueBias,
        double[] Sinks,
        double[] Output,
        double[] OutputBias,
        double[] ExpertNorm,
        double[] Router,
        double[] RouterBias,
        double[] Up,
        double[] UpBias,
        double[] Down,
        double[] DownBias
    );
}
