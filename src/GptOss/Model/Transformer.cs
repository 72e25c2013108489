using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// The forward pass of gpt-oss: token ids in, logits out, through every layer's attention and experts.
/// </summary>
/// <remarks>
/// The source of every equation is openai/gpt-oss, gpt_oss/torch/model.py. The shape of each result is on the right.
/// </remarks>
internal static class Transformer
{
    /// <summary>Runs every row of the batch through the model; returns logits for the rows that ask for them.</summary>
    /// <remarks>
    /// A row is one token of one sequence at one position. Prefill brings many rows of a sequence, decode one.
    /// </remarks>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was set. The threads look at it every few
    /// milliseconds; what the pass has computed is then of no use.</exception>
    public static Rows Forward(ModelWeights w, Batch batch, KvCache cache, Workspace ws, CancellationToken stop)
    {
        ws.Stop = stop;
        Rows x = Embedding.Gather(w.Embedding, batch.Tokens, ws.Residual(batch.Count)); // [rows, hidden]
        Rows angles = w.Rope.Angles(batch.Positions, ws.Angles(batch.Count)); // [rows, headDim]

        for (int layer = 0; layer < w.Layers.Length; layer++)
        {
            AddAttention(x, w.Layers[layer].Attention, w.Config, batch, angles, cache[layer], ws);
            AddExperts(x, w.Layers[layer].Experts, w.Config, ws);
        }

        Rows last = batch.RowsThatWantLogits(x, ws); // [wanted rows, hidden]
        last = RowWise.RmsNorm(last, w.FinalNorm, w.Config.RmsNormEps, last, ws);
        return Linear.Apply(last, w.Unembedding, ws.Logits(last.Count), ws); // [wanted rows, vocab]
    }

    private static void AddAttention(
        Rows x,
        AttentionWeights w,
        ModelConfig c,
        Batch batch,
        Rows angles,
        KvLayer kv,
        Workspace ws
    )
    {
        Rows t = RowWise.RmsNorm(x, w.Norm, c.RmsNormEps, ws.Normed(x.Count), ws); // [rows, hidden]
        Rows q = Linear.Apply(t, w.Query, ws.Query(x.Count), ws); // [rows, heads × headDim]
        Rows k = Linear.Apply(t, w.Key, ws.Key(x.Count), ws); // [rows, kvHeads × headDim]
        Rows v = Linear.Apply(t, w.Value, ws.Value(x.Count), ws); // [rows, kvHeads × headDim]

        RowWise.Rotate(q, angles, ws);
        RowWise.Rotate(k, angles, ws);
        kv.Store(batch, k, v);

        Rows heads = Attention.Causal(q, kv, batch, w, c, ws); // [rows, heads × headDim]
        RowWise.Add(x, Linear.Apply(heads, w.Output, ws.Projected(x.Count), ws), ws); // [rows, hidden]
    }

    private static void AddExperts(Rows x, ExpertWeights w, ModelConfig c, Workspace ws)
    {
        Rows t = RowWise.RmsNorm(x, w.Norm, c.RmsNormEps, ws.Normed(x.Count), ws); // [rows, hidden]
        Rows scores = Linear.Apply(t, w.Router, ws.RouterScores(x.Count), ws); // [rows, experts]
        Routing chosen = ws.Routing.Choose(scores, c.ExpertsPerToken); // weights of a row sum to 1

        foreach (ExpertGroup experts in chosen.InGroups) // each expert's weights are read once per pass
        {
            int rows = experts.Count; // a row counts once for each of its experts in the group
            Rows input = experts.Gather(t, ws.Gathered(rows), ws.Team); // [rows, hidden]
            Rows u = Linear.Apply(input, experts, w.GateUp, ws.GateUp(rows), ws); // [rows, 2 × intermediate]
            Rows hidden = RowWise.SwiGlu(u, c, ws.Hidden(rows), ws); // [rows, intermediate]
            experts.AddTo(x, Linear.Apply(hidden, experts, w.Down, ws.Projected(rows), ws), ws.Team);
        }
    }
}
