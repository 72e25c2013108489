using System.Buffers.Binary;
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>A damaged weight ends the requests that meet it, and holds up no other.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class FaultSearchTests
{
    /// <summary>The token whose row of the embedding table holds a value that is not a number.</summary>
    private const int Damaged = 60;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_value_that_is_not_a_number_ends_who_meets_it_and_is_searched_once()
    {
        using LoadedModel model = WithDamagedToken();
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        GenerationRequest[] requests = AnswersWithoutDamage([61, Damaged, 61, Damaged]);
        Task<Answer>[] asked = [.. requests.Select(request => tested.Ask(request, Stop))];
        for (int i = 0; i < 4; i++)
            if (i % 2 == 1)
                Assert.Equal(
                    "model.embed_tokens.weight",
                    (await Assert.ThrowsAsync<NumericFaultException>(() => asked[i])).TensorName
                );
            else
                Assert.Equal(await tested.AskAlone(requests[i]), await asked[i]);
        Assert.Equal(1, tested.Searches);
        Assert.Equal(0, tested.Pool.HeldBytes);
    }

    /// <summary>The search is held until the three others have ended, so that they cannot have waited for it.</summary>
    [Fact]
    public async Task While_the_cause_of_a_fault_is_sought_the_other_streams_go_on()
    {
        using LoadedModel model = WithDamagedToken();
        using var goOn = new ManualResetEventSlim();
        using var tested = new SchedulerUnderTest(model, new ModelOptions(), searching: () => goOn.Wait(Stop));
        using var letGo = new LetGo(goOn.Set);
        GenerationRequest[] requests = AnswersWithoutDamage([61, 62, Damaged, 63]);
        requests[2] = requests[2] with { Prompt = [.. requests[2].Prompt.TakeLast(5)] }; // met while the others read
        Task<Answer>[] asked = [.. requests.Select(request => tested.Ask(request, Stop))];
        Answer[] right = await Task.WhenAll(asked[0], asked[1], asked[3]).WaitAsync(TimeSpan.FromSeconds(20), Stop);
        await SchedulerUnderTest.Until(() => tested.Searches == 1);
        Assert.Equal(await tested.AskAlone(requests[1]), right[1]); // the next request works too
        Assert.False(asked[2].IsCompleted, "nobody has found the cause yet");
        Assert.Equal(0, tested.Pool.HeldBytes);

        goOn.Set();
        var fault = await Assert.ThrowsAsync<NumericFaultException>(() => asked[2]);
        Assert.Equal("model.embed_tokens.weight", fault.TensorName);
        Assert.Equal([await tested.AskAlone(requests[0]), right[1], await tested.AskAlone(requests[3])], right);
        Assert.Equal(1, tested.Searches);
    }

    private static LoadedModel WithDamagedToken()
    {
        var shape = new TinyShape { VocabSize = 512 };
        return LoadedModel.Written(folder =>
        {
            Dictionary<string, TinyTensor> tensors = WeightBinderTests.Tensors(shape);
            TinyTensor sound = tensors["model.embed_tokens.weight"];
            byte[] data = [.. sound.Data];
            BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(2 * Damaged * shape.HiddenSize), 0x7FC0);
            tensors["model.embed_tokens.weight"] = sound with { Data = data };
            WeightBinderTests.Write(folder, shape, tensors);
        });
    }

    /// <summary>Prompts with the given last tokens, whose answers never use the damaged one.</summary>
    private static GenerationRequest[] AnswersWithoutDamage(int[] last) =>
        [
            .. last.Select(
                (token, i) =>
                    new GenerationRequest
                    {
                        Prompt = [.. LoadedModel.Prompt(80, 59, i), token],
                        MaxTokens = 20,
                        LogProbabilities = 1,
                        Sampling = new SamplingOptions
                        {
                            Temperature = 0,
                            LogitBias = new Dictionary<int, float> { [Damaged] = float.NegativeInfinity },
                        },
                    }
            ),
        ];
}
