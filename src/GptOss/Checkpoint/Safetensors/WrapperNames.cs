namespace GptOss.Checkpoint.Safetensors;

/// <summary>
/// Takes out of the names of tensors what training tools put there when they wrap a model or a part of it.
/// </summary>
internal static class WrapperNames
{
    // Names that every gpt-oss has; what stands before them in a file is the prefix of a wrapper.
    private static readonly string[] Heads = ["model.embed_tokens.weight", "embedding.weight"];

    /// <summary>
    /// What wrappers of PyTorch put into the middle of a name, in front of the part of the model that they wrap.
    /// </summary>
    private static readonly string[] Wrappers = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."];

    private static readonly string[] Prefixes = ["base_model.model.", "module.", .. Wrappers];

    /// <summary>
    /// What stands before every name, such as <c>base_model.model.</c>, <c>module.</c> or <c>policy.</c>; empty where
    /// not every name begins so.
    /// </summary>
    public static string CommonPrefix(IReadOnlyCollection<string> names)
    {
        foreach (string head in Heads)
        {
            string? found = names.FirstOrDefault(name => name.EndsWith("." + head, StringComparison.Ordinal));
            if (
                found?[..^head.Length] is { } prefix
                && names.All(name => name.StartsWith(prefix, StringComparison.Ordinal))
            )
                return prefix;
        }
        string known = "";
        while (
            names.Count > 0
            && Prefixes.FirstOrDefault(prefix =>
                names.All(name => name.StartsWith(known + prefix, StringComparison.Ordinal))
            )
                is { } next
        )
            known += next;
        return known;
    }

    /// <summary>Takes the wrappers of parts of the model out of the middle of a name.</summary>
    public static string Unwrapped(string name)
    {
        if (!name.Contains('_', StringComparison.Ordinal))
            return name;
        foreach (string wrapper in Wrappers)
        {
            for (int at; (at = name.IndexOf("." + wrapper, StringComparison.Ordinal)) >= 0; )
                name = name.Remove(at + 1, wrapper.Length);
        }
        return name;
    }
}
