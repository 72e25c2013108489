namespace GptOss;

/// <summary>The base of every error that GptOss itself reports.</summary>
public abstract class GptOssException : Exception
{
    private protected GptOssException(string message, Exception? inner = null)
        : base(message, inner) { }
}

/// <summary>
/// The model folder is not one that this engine can run: damaged, incomplete, changed while in use, or of another kind.
/// </summary>
/// <remarks>The message names the file, then the tensor or the field, what was expected and what was found.</remarks>
public sealed class CheckpointException : GptOssException
{
    internal CheckpointException(
        string filePath,
        string reason,
        string? tensorName = null,
        string? fieldName = null,
        Exception? inner = null
    )
        : base(Compose(filePath, reason, tensorName, fieldName), inner)
    {
        FilePath = filePath;
        TensorName = tensorName;
        FieldName = fieldName;
        Reason = reason;
    }

    /// <summary>The file or folder at fault.</summary>
    public string FilePath { get; }

    /// <summary>The tensor at fault, where the fault lies in one tensor.</summary>
    public string? TensorName { get; }

    /// <summary>The JSON field at fault, where the fault lies in one field.</summary>
    public string? FieldName { get; }

    /// <summary>What was expected and what was found, without the place.</summary>
    public string Reason { get; }

    private static string Compose(string file, string reason, string? tensor, string? field)
    {
        string place =
            tensor is not null ? $"{Printable.Path(file)}: tensor '{Printable.Name(tensor)}' "
            : field is not null ? $"{Printable.Path(file)}: field '{Printable.Name(field)}': "
            : $"{Printable.Path(file)}: ";
        return Printable.Line(place + reason);
    }
}

/// <summary>The logits are not finite, so no token can be chosen from them.</summary>
public sealed class NumericFaultException : GptOssException
{
    internal NumericFaultException(string message, string? tensorName)
        : base(Printable.Line(message)) => TensorName = tensorName;

    /// <summary>
    /// The first tensor of the checkpoint that holds a value which is not finite; null where every weight is finite.
    /// </summary>
    public string? TensorName { get; }
}

/// <summary>The prompt does not fit into the context.</summary>
public sealed class ContextLengthException : GptOssException
{
    internal ContextLengthException(int promptTokens, int contextLength)
        : base(
            $"The prompt has {promptTokens} tokens, and the context holds {contextLength}, "
                + "of which at least one is needed for the answer. Shorten the prompt, or raise "
                + "ModelOptions.ContextLength."
        )
    {
        PromptTokens = promptTokens;
        ContextLength = contextLength;
    }

    private ContextLengthException(string message, int promptTokens, int contextLength)
        : base(message)
    {
        PromptTokens = promptTokens;
        ContextLength = contextLength;
    }

    /// <summary>For texts so long that they are not even counted.</summary>
    internal static ContextLengthException AtLeast(long promptTokens, int contextLength) =>
        new(
            $"The prompt has at least {promptTokens} tokens, and the context holds {contextLength}. "
                + "Shorten the prompt, or raise ModelOptions.ContextLength.",
            (int)Math.Min(promptTokens, int.MaxValue),
            contextLength
        );

    /// <summary>For prompts whose keys and values are more than the memory for them.</summary>
    /// <param name="promptTokens">Tokens of the prompt.</param>
    /// <param name="needed">Bytes that the keys and values need.</param>
    /// <param name="there">Bytes that all keys and values may take.</param>
    /// <param name="pageBytes">Bytes of a page.</param>
    internal static ContextLengthException NoPages(int promptTokens, long needed, long there, long pageBytes)
    {
        long neededPages = (needed + pageBytes - 1) / pageBytes,
            availablePages = there / pageBytes;
        return new(
            $"The prompt has {promptTokens} tokens, whose keys and values need {neededPages} pages ({needed} bytes), "
                + $"and ModelOptions.KvCacheBytes is {there}, which is {availablePages} pages. Shorten the prompt, or "
                + "raise that limit.",
            promptTokens,
            (int)Int128.Min(int.MaxValue, (Int128)promptTokens * there / Math.Max(1, needed))
        )
        {
            NeededPages = neededPages,
            AvailablePages = availablePages,
        };
    }

    /// <summary>Tokens of the prompt; at the least, where it is so long that it was not counted.</summary>
    public int PromptTokens { get; }

    /// <summary>Tokens the context holds, prompt and answer together.</summary>
    public int ContextLength { get; }

    /// <summary>
    /// Pages that the keys and values of the prompt need; null where not the memory but the context is the limit.
    /// </summary>
    public long? NeededPages { get; private init; }

    /// <summary>
    /// Pages that <see cref="ModelOptions.KvCacheBytes"/> has room for; null where <see cref="NeededPages"/> is.
    /// </summary>
    public long? AvailablePages { get; private init; }
}

/// <summary>A conversation cannot be written in the chat format, or the tokenizer lacks its markers.</summary>
/// <remarks>Only writing can fail so. What a model says is read whatever it is.</remarks>
public sealed class HarmonyFormatException : GptOssException
{
    internal HarmonyFormatException(string message, Exception? inner = null)
        : base(Printable.Line(message), inner) { }
}

/// <summary>
/// A saved prefix cannot be restored: the file is damaged, incomplete, of another version, or of another model.
/// </summary>
/// <remarks>The message names the file, then what was expected and what was found. Nothing was restored.</remarks>
public sealed class SavedStateException : GptOssException
{
    internal SavedStateException(string? filePath, string reason, Exception? inner = null)
        : base(
            Printable.Line($"{(filePath is null ? "The saved prefix" : Printable.Path(filePath) + ":")} {reason}"),
            inner
        )
    {
        FilePath = filePath;
        Reason = reason;
    }

    /// <summary>The file at fault; null where a stream was read.</summary>
    public string? FilePath { get; }

    /// <summary>What was expected and what was found, without the file.</summary>
    public string Reason { get; }
}

/// <summary>
/// A defect of GptOss itself ended a request. The model goes on: other requests have their answers, and the next one
/// works.
/// </summary>
/// <remarks>The inner exception tells what happened. Please report it.</remarks>
public sealed class EngineFaultException : GptOssException
{
    /// <summary>
    /// Makes what the engine itself threw an error that a caller can know by its type. What a guide, a progress or a
    /// listener of the caller throws stays as it is, and does not come here.
    /// </summary>
    internal static Exception For(Exception error) =>
        error is GptOssException or OutOfMemoryException or ObjectDisposedException
            ? error
            : new EngineFaultException(error);

    private EngineFaultException(Exception inner)
        : base(
            Printable.Line(
                $"The engine failed, which is a defect of GptOss: {inner.GetType().Name}: {inner.Message} "
                    + "This request has ended. Please report it with the inner exception."
            ),
            inner
        ) { }
}

/// <summary>The queue of the model is full, so that the request is not taken. Try again later.</summary>
public sealed class EngineBusyException : GptOssException
{
    internal EngineBusyException(int queueLength, int most)
        : base(
            $"{queueLength} requests wait already, and ModelOptions.MaxQueuedRequests is {most}. Try again later, or "
                + "raise that limit."
        ) => QueueLength = queueLength;

    /// <summary>How many requests waited.</summary>
    public int QueueLength { get; }
}

/// <summary>
/// A JSON Schema, pattern or grammar cannot be held to: it is wrong, allows no value, is larger than the limits, or has
/// a keyword that is not supported there. Thrown before the prompt is run.
/// </summary>
public sealed class SchemaException : GptOssException
{
    internal SchemaException(string message, string pointer = "", string? keyword = null, string? function = null)
        : base(Printable.Line(message)) => (Pointer, Keyword, Function) = (pointer, keyword, function);

    /// <summary>JSON pointer to the place in the schema; empty for the whole, or where it is no schema.</summary>
    public string Pointer { get; }

    /// <summary>The keyword at fault; null where no single one is.</summary>
    public string? Keyword { get; }

    /// <summary>The function whose parameters the schema describes; null for that of an answer.</summary>
    public string? Function { get; }
}

/// <summary>A download from Hugging Face's hub did not come to its end. What has arrived is kept.</summary>
/// <remarks>
/// The message names the repository or the file, what was expected, what was found and what to do. It never holds a
/// token, nor the signature of an address.
/// </remarks>
public sealed class HubException : GptOssException
{
    internal HubException(
        HubProblem problem,
        string message,
        Uri? address = null,
        int? status = null,
        Exception? inner = null
    )
        : base(Printable.Line(message), inner)
    {
        Problem = problem;
        Status = status;
        Address = address is { IsAbsoluteUri: true } ? new Uri(address.GetLeftPart(UriPartial.Path)) : address;
    }

    /// <summary>What kind of problem a program can act on.</summary>
    public HubProblem Problem { get; }

    /// <summary>The address that was asked, without its query; null where none was.</summary>
    public Uri? Address { get; }

    /// <summary>The status of the answer in HTTP; null where none came.</summary>
    public int? Status { get; }
}

/// <summary>Why a download did not come to its end.</summary>
public enum HubProblem
{
    /// <summary>There is no such repository, revision or file, or nothing in it that this engine reads.</summary>
    NotFound,

    /// <summary>Several files of the repository are meant: one must be named.</summary>
    Ambiguous,

    /// <summary>The repository wants its terms accepted first.</summary>
    Gated,

    /// <summary>The token is missing, wrong, or not enough.</summary>
    Unauthorized,

    /// <summary>The environment forbids requests, and files are missing.</summary>
    Offline,

    /// <summary>The connection failed, again and again.</summary>
    Network,

    /// <summary>The hub wants fewer requests for longer than was waited.</summary>
    RateLimited,

    /// <summary>The disk has no room for the missing bytes.</summary>
    DiskFull,

    /// <summary>The folder for the files cannot be written to.</summary>
    NotWritable,

    /// <summary>What came is not the file: another length, another hash, a web page.</summary>
    WrongContent,

    /// <summary>Another process works on the same file.</summary>
    Busy,
}
