using System.Reflection;
using GptOss.AspNetCore.Requests;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore;

/// <summary>The client that answers, and what the server knows of its model.</summary>
internal sealed class ServedModel
{
    // Without it no pipeline of a host can carry out calls. The package that has it may not be there.
    private static readonly Type? FunctionLoop = Type.GetType(
        "Microsoft.Extensions.AI.FunctionInvokingChatClient, Microsoft.Extensions.AI",
        throwOnError: false
    );

    private readonly GptOssModel? _model;

    /// <param name="client">The client that answers, with the host's pipeline around it.</param>
    /// <param name="options">Names of the model that the host gives.</param>
    public ServedModel(IChatClient client, GptOssServerOptions options)
    {
        Client = client;
        Own = client.GetService<GptOssChatClient>();
        GptOssModel? model = client.GetService<GptOssModel>();
        _model = model;
        Tokenizer = client.GetService<GptOssTokenizer>();
        ContextLength = model?.ContextLength;
        var metadata = client.GetService<ChatClientMetadata>();
        string name = metadata?.DefaultModelId ?? "default",
            bare = name[(name.LastIndexOf('/') + 1)..],
            shape = model?.Shape ?? bare;
        Models = new ModelNames(options.ModelId ?? shape, [name, bare, shape, Colon(shape)], options.Aliases);
        CarriesOutCalls = FunctionLoop is not null && client.GetService(FunctionLoop) is not null;
        Fingerprint = model is null ? $"gptoss-{Version}" : $"gptoss-{Version}-{model.Fingerprint[..8]}";
    }

    /// <summary>The client that answers.</summary>
    public IChatClient Client { get; }

    /// <summary>The GptOss client within the pipeline, which has a queue of its own; null for another kind.</summary>
    public GptOssChatClient? Own { get; }

    /// <summary>Whether the queue of the model is full; false where there is none.</summary>
    public bool IsBusy => _model is { IsBusy: true };

    /// <summary>The tokenizer of the model; null where nobody knows it.</summary>
    public GptOssTokenizer? Tokenizer { get; }

    /// <summary>The most tokens of prompt and answer together; null where nobody knows.</summary>
    public int? ContextLength { get; }

    /// <summary>The names under which the model is served.</summary>
    public ModelNames Models { get; }

    /// <summary>Names the weights and how they are computed.</summary>
    public string Fingerprint { get; }

    /// <summary>Whether the host's pipeline carries out calls of functions of its own.</summary>
    public bool CarriesOutCalls { get; }

    // The commit behind the plus sign would tell more than a client needs.
    private static string Version { get; } =
        typeof(GptOssChatClient)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0]
        ?? "0";

    // As Ollama writes it: gpt-oss:20b.
    private static string Colon(string name) =>
        name.LastIndexOf('-') is var dash and > 0 ? $"{name[..dash]}:{name[(dash + 1)..]}" : name;
}
