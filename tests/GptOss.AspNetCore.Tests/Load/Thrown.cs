using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using GptOss.AspNetCore.Faults;
using GptOss.Constraints;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>Every exception that is thrown in the process, also those that somebody catches.</summary>
internal sealed class Thrown : IDisposable
{
    /// <summary>What damaged bodies and clients that go may cause; all others are defects.</summary>
    private static readonly Type[] Expected =
    [
        typeof(BadHttpRequestException),
        typeof(FaultException),
        typeof(GptOssException),
        typeof(IOException),
        typeof(JsonException),
        typeof(LimitException), // within the compiler of schemas, which makes a SchemaException of it
        typeof(OperationCanceledException),
    ];

    /// <summary>Frames between whoever threw and this class.</summary>
    private static readonly string[] Throwing =
    [
        "Environment.get_StackTrace",
        nameof(Thrown),
        "AppContext.OnFirstChanceException",
        "System.Runtime.ExceptionServices.",
        "System.Runtime.EH.",
        "ThrowIf",
        "ThrowHelper",
        "ThrowObjectDisposed",
    ];

    private readonly ConcurrentDictionary<string, int> _counts = [];
    private readonly ConcurrentDictionary<string, string> _unexpected = [];

    public Thrown() => AppDomain.CurrentDomain.FirstChanceException += Count;

    /// <summary>The first of each type that is a defect, with where it was thrown.</summary>
    public IEnumerable<string> Unexpected => _unexpected.Values;

    public void Dispose() => AppDomain.CurrentDomain.FirstChanceException -= Count;

    public override string ToString() =>
        string.Join(", ", _counts.OrderBy(type => type.Key).Select(type => $"{type.Value} x {type.Key}"));

    private void Count(object? sender, FirstChanceExceptionEventArgs e)
    {
        string name = e.Exception.GetType().Name;
        _counts.AddOrUpdate(name, 1, (_, before) => before + 1);
        if (Array.Exists(Expected, type => type.IsInstanceOfType(e.Exception)))
            return;
        if (e.Exception is not ObjectDisposedException || !IsOfAConnection(Environment.StackTrace))
            _unexpected.TryAdd(name, $"{e.Exception.Message}\n{e.Exception.StackTrace}\n{Environment.StackTrace}");
    }

    /// <summary>Whether the code of sockets threw it, which meets connections that the other side closed.</summary>
    private static bool IsOfAConnection(string stack) =>
        stack.Split('\n').FirstOrDefault(line => !Throwing.Any(word => line.Contains(word))) is { } frame
        && (frame.Contains(" System.Net.") || frame.Contains(" Microsoft.AspNetCore.Server.Kestrel."));
}
