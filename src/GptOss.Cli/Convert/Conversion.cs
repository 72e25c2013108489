using GptOss.Adapter;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;
using GptOss.Cli.Shell;
using GptOss.Model;
using GptOss.Tokenization;

namespace GptOss.Cli.Convert;

/// <summary>
/// Writes a model of any layout and container as a folder in the layout of Hugging Face. The folder has its name when
/// it is whole, and <c>NAME.partial</c> until then.
/// </summary>
internal sealed record Conversion
{
    // What stays free, because a full disk stops other programs.
    private const long SpareBytes = 1 << 30;

    private static readonly string[] Copied =
    [
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "chat_template.jinja",
    ];

    /// <summary>The folder or GGUF file of the model.</summary>
    public required string Source { get; init; }

    /// <summary>The folder that is made; nothing may have its name.</summary>
    public required string Target { get; init; }

    /// <summary>The form of the experts; null keeps MXFP4 and takes bfloat16 for anything else.</summary>
    public ExpertForm? Experts { get; init; }

    /// <summary>The folder of an adapter that is merged; null for none.</summary>
    public string? Adapter { get; init; }

    /// <summary>The most bytes of tensors in one file.</summary>
    public long ShardBytes { get; init; } = ShardWriter.UsualBytes;

    /// <summary>Reads, merges and writes; tells line by line what a person should know.</summary>
    /// <param name="say">Takes one line each.</param>
    /// <param name="progress">Told after each tensor the part that is written, 0 to 1.</param>
    /// <param name="stop">Ends the work early and deletes what was written.</param>
    /// <exception cref="CheckpointException">The model, or the adapter, cannot be read.</exception>
    /// <exception cref="IOException">The target exists, or the disk has no room for it.</exception>
    public void Run(Action<string> say, Action<double> progress, CancellationToken stop)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(Target)),
            partial = target + ".partial";
        RefuseExisting(target, partial);
        using var folder = ModelFolder.Open(
            Source,
            ModelOptions.Default,
            progress: null,
            stop,
            Adapter is null ? null : config => AdapterFolder.Open(Adapter, config)
        );
        foreach (string note in folder.Notes)
            say(note);
        var plan = ConversionPlan.Of(folder.Weights, Experts, (tensor, error) =>
            say(FormattableString.Invariant($"{tensor}: packed, error {error:0.0000} of its size"))
        );
        long total = plan.Tensors.Sum(tensor => tensor.Bytes);
        RequireRoom(target, total);
        bool copies = folder.Checkpoint is SafetensorsFolder;
        (string Name, byte[] Content)[] small = copies ? SmallFiles(folder.Path) : [];
        string claim = Claim(partial);
        try
        {
            string[] files = new ShardWriter(partial, ShardBytes).Write(
                plan.Tensors,
                done => progress((double)done / total),
                stop
            );
            foreach ((string name, byte[] content) in small)
                File.WriteAllBytes(Path.Join(partial, name), content);
            if (!copies && folder.Config.VocabSize != O200kHarmony.VocabularySize)
                say(
                    "The tokenizer of the GGUF file is not written: put the tokenizer.json of its origin into the "
                        + "folder, or the model serves token ids only."
                );
            bool hasEnds = File.Exists(Path.Join(partial, Copied[0]));
            ConfigWriter.Write(
                Path.Join(partial, "config.json"),
                folder.Config with
                {
                    TieWordEmbeddings = plan.IsTied,
                },
                plan.Experts,
                hasEnds ? null
                    : folder.StopTokens(() => null) is { Length: > 0 } ends ? ends
                    : null
            );
            folder.ThrowIfChanged();
            File.Delete(claim);
            Directory.Move(partial, target);
            string count = $"{Amount.Count(files.Length)} {(files.Length == 1 ? "file" : "files")} of weights",
                form = plan.Experts == ExpertForm.Mxfp4 ? "MXFP4" : "BF16";
            say($"Wrote {target}: {count}, {Amount.Count(total)} bytes, experts in {form}.");
        }
        catch
        {
            TryDelete(partial);
            throw;
        }
    }

    private static void RefuseExisting(string target, string partial)
    {
        if (Path.Exists(target))
            throw new IOException(
                $"{target} exists already, and is not written over. Give another name, or delete it."
            );
        if (Path.Exists(partial))
            throw AtWork(partial);
        if (Path.GetDirectoryName(target) is { } parent && !Directory.Exists(parent))
            throw new DirectoryNotFoundException($"{parent} does not exist, in which {target} should be made.");
    }

    /// <summary>
    /// Makes the folder and a file in it that only one process can make: of two conversions that began at once one goes
    /// on, and the other deletes nothing of it.
    /// </summary>
    private static string Claim(string partial)
    {
        string claim = Path.Join(partial, ".writing");
        Directory.CreateDirectory(partial);
        try
        {
            new FileStream(claim, FileMode.CreateNew).Dispose();
            return claim;
        }
        catch (IOException) when (File.Exists(claim))
        {
            throw AtWork(partial);
        }
    }

    private static IOException AtWork(string partial) =>
        new(
            $"{partial} is there: another conversion is at work, or one was ended in the middle. Delete it if no other "
                + "runs."
        );

    private static void RequireRoom(string target, long bytes)
    {
        long free = new DriveInfo(Path.GetDirectoryName(target) ?? target).AvailableFreeSpace;
        if (free < bytes + SpareBytes)
            throw new IOException(
                $"{target} needs {Amount.Count(bytes + SpareBytes)} bytes, and the disk has {Amount.Count(free)} free."
            );
    }

    // A folder from elsewhere may have a pipe or a device there, or links to them, which would be read for ever.
    private static (string Name, byte[] Content)[] SmallFiles(string folder) =>
        [
            .. Copied
                .Where(name => File.Exists(Path.Join(folder, name)))
                .Select(name => (name, RegularFile.ReadBytes(Path.Join(folder, name), TokenizerJson.LimitBytes))),
        ];

    private static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What remains has the name of something unfinished.
        }
    }
}
