namespace GptOss;

/// <summary>A model that lies on this machine, as <see cref="GptOssFiles"/> found it.</summary>
/// <param name="Name">The name that finds this model again; of a file in no store its path.</param>
/// <param name="Path">What <see cref="GptOssModel.LoadAsync"/> takes: a folder, or a GGUF file, of a split set the
/// first.</param>
/// <param name="Store">Whose files these are.</param>
/// <param name="Format">What the weights are stored in.</param>
/// <param name="Bytes">Bytes of the files with the weights.</param>
/// <param name="Revision">The commit in a cache of Hugging Face, the digest of a blob; null where the store has
/// neither.</param>
public sealed record FoundModel(
    string Name,
    string Path,
    ModelStore Store,
    ModelFormat Format,
    long Bytes,
    string? Revision
);

/// <summary>The tool that keeps the files of a model.</summary>
public enum ModelStore
{
    /// <summary>None: a path was given.</summary>
    Path,

    /// <summary>The cache that Hugging Face's tools and <see cref="GptOssHub"/> share.</summary>
    HuggingFace,

    /// <summary>The models that Ollama has pulled.</summary>
    Ollama,

    /// <summary>The folder of models of LM Studio.</summary>
    LmStudio,

    /// <summary>The store of Docker's Model Runner.</summary>
    Docker,

    /// <summary>The cache of files that llama.cpp downloads.</summary>
    LlamaCpp,
}

/// <summary>The container that holds a model's weights.</summary>
public enum ModelFormat
{
    /// <summary>A folder with config.json and files of safetensors.</summary>
    Safetensors,

    /// <summary>One file of GGUF, or a set of files that it is split into.</summary>
    Gguf,
}
