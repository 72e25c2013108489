using GptOss.Hub;

namespace GptOss;

/// <summary>
/// Finds models that are already on this machine: at a path, or in the stores of Hugging Face, Ollama, LM Studio,
/// Docker and llama.cpp. Nothing is downloaded or written.
/// </summary>
/// <remarks>
/// A file counts as a model by its first bytes and its architecture, never by its extension. The stores lie where
/// their own environment variables say; docs/models-and-files.md lists them.
/// </remarks>
public static class GptOssFiles
{
    /// <summary>Finds the model that a name or a path means.</summary>
    /// <param name="name">
    /// An existing path: a folder with config.json, a folder with one GGUF or one split set, a GGUF file, a blob of
    /// Ollama. Else <c>ollama:MODEL[:TAG]</c>, <c>lmstudio:PUBLISHER/REPOSITORY[/FILE]</c>, <c>docker:NAME[:TAG]</c>,
    /// <c>hf:OWNER/NAME[@REVISION][/FILE]</c>. Else <c>gpt-oss-20b</c>, <c>gpt-oss-120b</c> or <c>OWNER/NAME</c>, which
    /// is looked for in Hugging Face's cache and then in the other stores.
    /// </param>
    /// <returns>The model; <see cref="GptOssModel.LoadAsync"/> takes its <see cref="FoundModel.Path"/>.</returns>
    /// <exception cref="CheckpointException">
    /// There is no such model, it is incomplete, or it is something else; the message says where was looked, what is
    /// there and what to do.
    /// </exception>
    public static FoundModel Find(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new Finder(Surroundings.OfProcess()).Find(name);
    }

    /// <summary>All models of this architecture in the stores, store by store, each by its name.</summary>
    /// <returns>Whole models only; what cannot be read is left out.</returns>
    public static IReadOnlyList<FoundModel> List() => new Finder(Surroundings.OfProcess()).List();
}
