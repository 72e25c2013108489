using System.Diagnostics.Metrics;
using GptOss.AspNetCore.Admission;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Http;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.State;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GptOss.AspNetCore;

/// <summary>What all requests of a server share; thread-safe.</summary>
internal sealed class ServerCore : IDisposable
{
    private const string Category = "GptOss.AspNetCore";

    private readonly RunGate _gate;
    private ServedModel? _model;
    private string? _degraded;

    /// <param name="options">The host's options, which are checked here.</param>
    /// <param name="loggers">Make the logger that gets one line for each request.</param>
    /// <param name="meters">Makes the meter; null where the host has no factory of meters.</param>
    /// <param name="time">Measures how long things take; null for the system's clock.</param>
    /// <exception cref="ArgumentException">An option is outside its range.</exception>
    public ServerCore(
        IOptions<GptOssServerOptions> options,
        ILoggerFactory loggers,
        IMeterFactory? meters = null,
        TimeProvider? time = null
    )
    {
        Options = options.Value;
        Options.ThrowIfInvalid();
        Logger = loggers.CreateLogger(Category);
        Time = time ?? TimeProvider.System;
        Keys = new ApiKeys(Options.ApiKeys, Options.ApiKeyFile, Time);
        Origins = new OriginCheck([.. Options.Origins]);
        Bodies = new BodyReader(Options.MaxBodyBytes, Options.MaxBodies, Options.MaxWait, Times);
        Refusals = new RefusalPace(Time);
        Store = new ResponseStore(Options.MaxStored, Options.MaxStoredBytes, Options.MaxStoredTime, Time);
        Meter = new ServerMeter(meters, () => Drain.Running, () => Store.Bytes);
        _gate = new RunGate(Options.MaxRunning, Options.MaxQueued, Options.MaxWait, Times);
    }

    public GptOssServerOptions Options { get; }

    public ILogger Logger { get; }

    public TimeProvider Time { get; }

    public ApiKeys Keys { get; }

    public OriginCheck Origins { get; }

    public BodyReader Bodies { get; }

    public RefusalPace Refusals { get; }

    public ResponseStore Store { get; }

    public ServerMeter Meter { get; }

    public Drain Drain { get; } = new();

    public RunTimes Times { get; } = new();

    /// <summary>How far the loading of the model is, 0 to 1.</summary>
    public double Loaded { get; set; }

    /// <summary>The model that answers; null while it is being loaded.</summary>
    public ServedModel? Model => Volatile.Read(ref _model);

    /// <summary>Why the model no longer answers as it should; null while it does.</summary>
    public string? Degraded => Volatile.Read(ref _degraded);

    /// <summary>Lets a client answer from now on.</summary>
    public void Serve(IChatClient client) => Volatile.Write(ref _model, new ServedModel(client, Options));

    /// <summary>What a reader of requests knows of the server.</summary>
    /// <param name="model">The model that is served.</param>
    /// <param name="scope">Whose request it is; null where all are one.</param>
    public ReadingContext ContextOf(ServedModel model, string? scope) =>
        new(
            model.Models,
            Options.Effort,
            Options.IsStrict,
            model.Tokenizer?.VocabularySize,
            scope,
            Options.MaxBodyBytes
        );

    /// <summary>Whether a request that came now would find neither a place to run nor one to wait.</summary>
    public bool IsBusy(ServedModel model) => model.Own is null ? _gate.IsFull : model.IsBusy;

    /// <summary>Waits for a request's turn, where the client has no queue of its own.</summary>
    public async ValueTask<IDisposable?> EnterAsync(ServedModel model, CancellationToken cancellation) =>
        model.Own is null ? await _gate.EnterAsync(cancellation).ConfigureAwait(false) : null;

    /// <summary>Notes an error that says that the model itself is damaged.</summary>
    /// <remarks>Anybody may ask for the health, so the reason names no path; the log has the whole message.</remarks>
    public void Note(Exception error)
    {
        string? reason = error switch
        {
            NumericFaultException { TensorName: { } tensor } =>
                $"The tensor {Fault.Quote(tensor)} holds a value that is not finite.",
            NumericFaultException => "The logits are not finite, so a weight is damaged.",
            CheckpointException => KnownFaults.ChangedFile,
            _ => null,
        };
        if (reason is not null)
            Volatile.Write(ref _degraded, reason);
    }

    public void Dispose()
    {
        Meter.Dispose();
        _gate.Dispose();
        Bodies.Dispose();
        Drain.Dispose();
    }
}
