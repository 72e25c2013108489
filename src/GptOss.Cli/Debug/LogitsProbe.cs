using GptOss.Generation;
using GptOss.Model;

namespace GptOss.Cli.Debug;

/// <summary>Runs a prompt in the ways an engine may run it, and keeps the logits.</summary>
/// <remarks>
/// Positions beyond the model's maximum are allowed: their logits are defined, whatever the model makes of them.
/// </remarks>
internal static class LogitsProbe
{
    /// <exception cref="CheckpointException">The folder is not a model this engine can run.</exception>
    /// <exception cref="InvalidOperationException">Interleaved copies gave different bits: a fault of the
    /// engine.</exception>
    public static LogitsResult Run(LogitsRequest request, CancellationToken cancellationToken)
    {
        using GptOssModel model = GptOssModel
            .LoadAsync(request.Folder, request.Options, null, cancellationToken)
            .GetAwaiter()
            .GetResult();
        foreach (int token in request.Tokens)
            if (token >= model.VocabularySize)
                throw new Shell.UsageException(
                    $"--tokens holds {token}, but the model's ids go from 0 to {model.VocabularySize - 1}."
                );

        var copies = new Copy[request.Interleave];
        for (int i = 0; i < copies.Length; i++)
            copies[i] = new Copy(request, model.Engine.Cache.NewSequence());
        RunAll(model.Engine, copies, request, cancellationToken);
        foreach (Copy copy in copies)
        {
            copy.Sequence.Dispose();
            if (!copy.SameAs(copies[0]))
                throw new InvalidOperationException("Interleaved copies of the sequence gave different logits.");
        }
        return new LogitsResult(copies[0].Logits, request.Greedy > 0 ? [.. copies[0].Greedy] : null);
    }

    // Copy i starts i passes later, so that prompts, other places in the prompt and decoding meet in one batch.
    private static void RunAll(Engine engine, Copy[] copies, LogitsRequest request, CancellationToken stop)
    {
        for (int pass = 0; copies.Any(copy => !copy.IsDone); pass++)
        {
            var running = new List<(Copy Copy, int Rows)>();
            engine.Forward(
                batch =>
                {
                    for (int i = 0; i < copies.Length && i <= pass; i++)
                        if (!copies[i].IsDone)
                            running.Add((copies[i], copies[i].AddTo(batch, request.Chunk ?? int.MaxValue)));
                },
                logits =>
                {
                    int row = 0;
                    foreach ((Copy copy, int rows) in running)
                        for (int i = 0; i < rows; i++)
                            copy.Take(logits[row++]);
                },
                stop
            );
        }
    }

    /// <summary>One run of the sequence: what is still to be fed, and what came out.</summary>
    private sealed class Copy(LogitsRequest request, KvSequence sequence)
    {
        private readonly Queue<int> _awaited = new();
        private int _fed;

        public KvSequence Sequence => sequence;

        public SortedDictionary<int, float[]> Logits { get; } = [];

        public List<int> Greedy { get; } = [];

        public bool IsDone => _fed >= request.Tokens.Length && Greedy.Count >= request.Greedy;

        /// <summary>Adds the next piece and returns how many rows of logits it will bring.</summary>
        public int AddTo(Batch batch, int chunk)
        {
            if (_fed >= request.Tokens.Length)
            {
                batch.Add(sequence, [Greedy[^1]], Wanted.Last);
                _awaited.Enqueue(_fed++);
                return 1;
            }

            int first = _fed,
                end = _fed + Math.Min(chunk, request.Tokens.Length - _fed);
            int[] wanted =
            [
                .. request
                    .Positions.Append(request.Tokens.Length - 1)
                    .Distinct()
                    .Where(position => position >= first && position < end)
                    .Order(),
            ];
            batch.Add(
                sequence,
                request.Tokens.AsSpan(first, end - first),
                [.. wanted.Select(position => position - first)]
            );
            foreach (int position in wanted)
                _awaited.Enqueue(position);
            _fed = end;
            return wanted.Length;
        }

        public void Take(ReadOnlySpan<float> logits)
        {
            int position = _awaited.Dequeue();
            if (Array.BinarySearch(request.Positions, position) >= 0)
                Logits[position] = logits.ToArray();
            if (position >= request.Tokens.Length - 1 && Greedy.Count < request.Greedy)
                Greedy.Add(System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits));
        }

        public bool SameAs(Copy other) =>
            Greedy.SequenceEqual(other.Greedy)
            && Logits.All(pair => pair.Value.AsSpan().SequenceEqual(other.Logits[pair.Key]));
    }
}
