using LLama;
using LLama.Common;
using LLama.Native;

namespace GptOss.Peers;

/// <summary>What llama.cpp says with ids in and ids out: a second reader of our GGUF files.</summary>
internal static class LlamaGreedy
{
    /// <returns>The most likely token after the prompt, and so on, <paramref name="count"/> of them.</returns>
    /// <exception cref="InvalidOperationException">llama.cpp could not load or compute.</exception>
    public static int[] Tokens(string file, int[] prompt, int count)
    {
        NativeLogConfig.llama_log_set(
            (level, text) =>
            {
                if (level == LLamaLogLevel.Error)
                    Console.Error.Write(text);
            }
        );
        var parameters = new ModelParams(file)
        {
            ContextSize = (uint)(prompt.Length + count),
            Threads = 1,
            BatchThreads = 1,
            GpuLayerCount = 0,
        };
        using LLamaWeights weights = LLamaWeights.LoadFromFile(parameters);
        using LLamaContext context = weights.CreateContext(parameters);
        var tokens = new int[count];
        var batch = new LLamaBatch();
        for (int i = 0; i < prompt.Length; i++)
            batch.Add((LLamaToken)prompt[i], i, LLamaSeqId.Zero, i == prompt.Length - 1);
        for (int i = 0; i < count; i++)
        {
            LlamaRun.Decode(context, batch);
            ReadOnlySpan<float> logits = context.NativeHandle.GetLogits();
            tokens[i] = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits[..weights.Vocab.Count]);
            batch.Clear();
            batch.Add((LLamaToken)tokens[i], prompt.Length + i, LLamaSeqId.Zero, true);
        }
        return tokens;
    }
}
