using System.Collections;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Generation;

/// <summary>Runs while no other test does: it measures the memory of the process.</summary>
[CollectionDefinition(nameof(FlatMemoryTests), DisableParallelization = true)]
[Promise(18)]
public sealed class FlatMemoryTestsAlone;

/// <summary>What many requests leave behind, and what a disposed model leaves to the garbage collector.</summary>
[Collection(nameof(FlatMemoryTests))]
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class FlatMemoryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// A request that stays in memory takes over 1,000 bytes. Over 10,000 requests one small object of each would show.
    /// </summary>
    [Fact, Trait("kind", "long")]
    public async Task Memory_threads_and_handles_stay_as_they_were_after_the_first_requests()
    {
        var options = new ModelOptions
        {
            Threads = 2,
            MaxRunning = 6,
            KvCacheBytes = 4 << 20, // full of prefixes long before the first measurement
            AnswerMemoryBytes = 1 << 16,
        };
        using GptOssModel model = await GptOssModel.LoadAsync(TinyGptOss.Folder, options, null, Stop);
        using GptOssChatClient client = model.AsChatClient();
        GenerationRequest[] requests = ManyRequests.Draw(40, seed: 9, longest: 200, longestAnswer: 10);
        await Ask(model, client, requests, from: 0, count: 160);
        Figures before = Figures.Now(model);
        int count = Long.IsLong ? 10_000 : 320;
        await Ask(model, client, requests, from: 160, count);
        Figures after = Figures.Now(model);

        double perRequest = (after.HeapBytes - before.HeapBytes) / (double)count;
        Figure.Tell($"{perRequest:f1} bytes a request; {before}; {after}");
        Assert.InRange(perRequest, double.MinValue, Long.IsLong ? 12 : 200);
        Assert.InRange(after.CommittedBytes, 0, options.KvCacheBytes.Value);
        Assert.InRange(after.Handles, 0, before.Handles + 2);
        Assert.InRange(after.Threads, 0, before.Threads + 8); // those of the pool come and go
        Assert.Equal((0L, 0, 0), (after.HeldBytes, after.Active, after.Waiting));
    }

    /// <summary>
    /// A weak reference that follows an object beyond its finalizer is empty after one collection if the object had
    /// nothing to finalize, and only then.
    /// </summary>
    [Fact]
    public void Where_all_was_disposed_no_finalizer_has_work()
    {
        using var random = LoadedModel.Random(new TinyShape(), seed: 1);
        List<WeakReference> left = UseAndDispose(random.Folder, isDisposed: true);
        GC.Collect();
        Assert.Equal([], left.Select(reference => reference.Target?.GetType().Name).OfType<string>());
    }

    [Fact]
    public void What_was_forgotten_is_left_to_the_finalizers()
    {
        using var random = LoadedModel.Random(new TinyShape(), seed: 1);
        List<WeakReference> left = UseAndDispose(random.Folder, isDisposed: false);
        GC.Collect();
        Assert.Contains(nameof(PagePool), left.Select(reference => reference.Target?.GetType().Name));
    }

    // Several requests at a time of all kinds, of which some are cancelled or left.
    private static async Task Ask(
        GptOssModel model,
        GptOssChatClient client,
        GenerationRequest[] requests,
        int from,
        int count
    )
    {
        int next = from;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(AskNext, Stop)));
        await SchedulerUnderTest.Until(() => model.Engine.Instruments.Now.Active == 0);

        async Task AskNext()
        {
            while (Interlocked.Increment(ref next) is var i && i <= from + count)
            {
                if (i % 8 == 0)
                {
                    var options = new ChatOptions { MaxOutputTokens = 6, Seed = i };
                    await client.GetResponseAsync($"What is {i % 10} + 4?", options, Stop);
                    continue;
                }
                using var cancel = new CancellationTokenSource();
                GenerationRequest request = requests[i % requests.Length] with { PromptLookup = i % 3 == 0 };
                if (i % 5 == 0)
                    request = request with { Scope = $"{i}" }; // a scope of its own
                using ITokenStream stream = model.Source.Submit(request, cancel.Token);
                if (i % 11 == 0)
                    await cancel.CancelAsync();
                else if (i % 13 != 0)
                    await Answer.Of(stream, Stop);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<WeakReference> UseAndDispose(string folder, bool isDisposed)
    {
        var options = new ModelOptions { Threads = 2, Precision = Precision.Fast };
        GptOssModel model = GptOssModel.LoadAsync(folder, options).GetAwaiter().GetResult();
        ITokenStream read = model.Source.Submit(new GenerationRequest { Prompt = [1, 2], MaxTokens = 3 }, default),
            running = model.Source.Submit(new GenerationRequest { Prompt = [3] }, default),
            unread = model.Source.Submit(new GenerationRequest { Prompt = [4] }, default);
        Answer.Of(read).GetAwaiter().GetResult();
        List<object> found = [.. Finalizable.ReachedFrom(model, read, running, unread)];
        Assert.Equal(Finalizable.Kinds, found.Select(each => each.GetType()).Where(Finalizable.IsOurs).ToHashSet());
        if (isDisposed)
        {
            running.Dispose();
            read.Dispose();
            model.Dispose();
            unread.Dispose(); // a reader may be later than the model
        }
        return [.. found.Select(each => new WeakReference(each, trackResurrection: true))];
    }

    /// <summary>What a process and a model hold at one moment, when garbage was collected.</summary>
    private sealed record Figures(
        long HeapBytes,
        long CommittedBytes,
        long HeldBytes,
        int Handles,
        int Threads,
        int Active,
        int Waiting
    )
    {
        public static Figures Now(GptOssModel model)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            using var process = Process.GetCurrentProcess();
            return new(
                GC.GetTotalMemory(forceFullCollection: true),
                model.Engine.Cache.Pool.CommittedBytes,
                model.Engine.Cache.Pool.HeldBytes,
                OperatingSystem.IsLinux() ? Directory.GetFiles("/proc/self/fd").Length : process.HandleCount,
                process.Threads.Count,
                model.Engine.Instruments.Now.Active,
                model.Engine.Instruments.Now.Waiting
            );
        }
    }

    /// <summary>Objects with finalizers: those of the library, and the handles of the system.</summary>
    private static class Finalizable
    {
        /// <summary>The types of the library that have a finalizer.</summary>
        public static HashSet<Type> Kinds { get; } =
        [.. typeof(GptOssModel).Assembly.GetTypes().Where(type => type.IsClass && HasFinalizer(type))];

        public static bool IsOurs(Type type) => type.Assembly == typeof(GptOssModel).Assembly;

        /// <summary>All such objects that the fields of the roots lead to.</summary>
        public static IEnumerable<object> ReachedFrom(params object[] roots)
        {
            var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
            var next = new Stack<object>(roots);
            while (next.TryPop(out object? each))
            {
                Type type = each.GetType();
                if (type.IsPrimitive || each is string or MemberInfo or Assembly or Thread or WeakReference)
                    continue;
                if (each is Lock) // the runtime's event in a lock that was waited for: nobody can dispose it
                    continue;
                if (!type.IsValueType && !seen.Add(each))
                    continue;
                if (HasFinalizer(type) && (IsOurs(type) || each is SafeHandle))
                    yield return each;
                if (each is Array { Length: > 0 } array && !type.GetElementType()!.IsPrimitive)
                    foreach (object? element in (IEnumerable)array)
                        Push(element);
                for (Type? at = type; at is not null && !type.IsArray; at = at.BaseType)
                    foreach (FieldInfo field in at.GetFields(Own))
                        if (!field.FieldType.IsPointer && !field.FieldType.IsByRefLike)
                            Push(field.GetValue(each));
            }

            void Push(object? value)
            {
                if (value is not null)
                    next.Push(value);
            }
        }

        private const BindingFlags Own =
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

        private static bool HasFinalizer(Type type) =>
            type.GetMethod("Finalize", BindingFlags.Instance | BindingFlags.NonPublic, [])?.DeclaringType
                is { } declaring
            && declaring != typeof(object);
    }
}
