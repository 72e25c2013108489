// Longer than the budget: what guides do to their own answers and to those beside them is told in one place.
using GptOss.Generation;
using GptOss.Sampling;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class TokenGuideTests : IDisposable
{
    private const int Vocabulary = 512;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly LoadedModel _model = LoadedModel.Random(new TinyShape(), seed: 1);
    private readonly SchedulerUnderTest _tested;

    public TokenGuideTests() => _tested = new SchedulerUnderTest(_model, new ModelOptions());

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Only_allowed_tokens_are_chosen_the_same_by_each_form_with_guesses_and_without(float temperature)
    {
        int[] prompt = [.. Enumerable.Range(0, 90).Select(i => i % 7 * 11)]; // repeats, so that tokens are guessed
        GenerationRequest request = new()
        {
            Prompt = prompt,
            MaxTokens = 60,
            Sampling = new()
            {
                Temperature = temperature,
                Seed = 3,
                TopP = 0.9f,
                FrequencyPenalty = 0.3f,
            },
        };
        List<Answer> answers = [];
        foreach (TokenMaskForm form in Enum.GetValues<TokenMaskForm>())
        foreach (bool lookup in (bool[])[false, true])
            answers.Add(await _tested.AskAlone(request with { PromptLookup = lookup, Guide = new Sevenths(form) }));

        Assert.Equal(60, answers[0].Ids.Length);
        Assert.All(answers[0].Ids.Index(), made => Assert.True(Sevenths.Allows(made.Index, made.Item)));
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.NotEqual(answers[0], await _tested.AskAlone(request));
    }

    [Fact]
    public async Task What_begins_an_answer_without_a_choice_is_computed_with_the_prompt()
    {
        List<int> read = [];
        GenerationRequest request = new()
        {
            Prompt = [1, 2, 3],
            MaxTokens = 6,
            Sampling = SamplingOptions.Greedy,
            Guide = new Opening([7, 8, 9, 10, 11]),
            PromptRead = progress => read.Add(progress.Processed),
        };
        Answer answer = await _tested.AskAlone(request);
        Assert.Equal([7, 8, 9, 10, 11], answer.Ids[..5]);
        Assert.Equal(1, _tested.Engine.Passes);
        Assert.Equal([0, 3], read.Select(tokens => Math.Min(tokens, 3)));
        Answer plain = await _tested.AskAlone(
            new()
            {
                Prompt = [1, 2, 3, 7, 8, 9, 10, 11],
                MaxTokens = 1,
                Sampling = SamplingOptions.Greedy,
            }
        );
        Assert.Equal(plain.Ids[0], answer.Ids[5]);
    }

    [Theory]
    [InlineData(200)] // more than the reader has room for
    [InlineData(64)] // as many
    public async Task A_long_beginning_without_a_choice_comes_whole(int tokens)
    {
        int[] opening = [.. Enumerable.Range(0, tokens).Select(i => i % Vocabulary)];
        Answer answer = await _tested.AskAlone(
            new()
            {
                Prompt = [1, 2, 3],
                MaxTokens = tokens + 1,
                Guide = new Opening(opening),
            }
        );
        Assert.Equal(opening, answer.Ids[..tokens]);
        Assert.Equal(EndReason.MaxTokens, answer.End);
    }

    /// <summary>Runs of 25 tokens, of which a pass takes few beside others; the model chooses between them.</summary>
    [Fact]
    public async Task Forced_runs_beside_others_take_several_passes_and_leave_the_same_answers()
    {
        var tight = new PassBudget(maxSeconds: 1e-9); // half the time of decoding alone, for rows of prompts
        using var crowded = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 4 }, budget: tight);
        Answer[] beside = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => crowded.AskAlone(Request(i))));
        long passes = crowded.Engine.Passes;
        for (int i = 0; i < 4; i++)
        {
            long before = _tested.Engine.Passes;
            Assert.Equal(await _tested.AskAlone(Request(i)), beside[i]);
            Assert.InRange(_tested.Engine.Passes - before, 20, 30);
        }
        Assert.InRange(passes, 40, int.MaxValue);

        static GenerationRequest Request(int i) =>
            new()
            {
                Prompt = LoadedModel.Prompt(40 + i, Vocabulary, seed: i),
                MaxTokens = 150,
                LogProbabilities = 2,
                Sampling = new() { Seed = (ulong)i, FrequencyPenalty = 0.2f },
                Guide = new Listening(_ => { }, made => made % 30 == 3 ? new int[25] : []),
            };
    }

    /// <summary>The guide takes as long as some hundred passes, and two passes pay for one.</summary>
    [Fact]
    public async Task An_answer_whose_guide_takes_long_sits_out_passes_of_others()
    {
        var options = new ModelOptions { MaxRunning = 2, MaxPassLatency = TimeSpan.FromTicks(1) };
        using var tested = new SchedulerUnderTest(_model, options);
        int slow = 0,
            before = 0;
        Task<Answer>? neighbour = null;
        Task<Answer> held = tested.Ask(
            Request(
                new Listening(made =>
                {
                    slow = made;
                    neighbour ??= tested.Ask(
                        Request(new Listening(others => before = others == 1 ? slow : before)),
                        Stop
                    );
                    Thread.Sleep(neighbour.IsCompleted ? 0 : 100);
                })
            ),
            Stop
        );
        while (Volatile.Read(ref neighbour) is null)
            await Task.Delay(1, Stop);
        Answer quick = await neighbour!;
        Assert.InRange(slow - before, 0, 20); // 60 where the neighbour waits for each
        Assert.Equal(60, quick.Ids.Length);
        Assert.Equal(60, (await held).Ids.Length);
        Assert.Equal(quick, await held);

        static GenerationRequest Request(ITokenGuide guide) =>
            new()
            {
                Prompt = [1, 2, 3],
                MaxTokens = 60,
                LogProbabilities = 2,
                Sampling = SamplingOptions.Greedy,
                Guide = guide,
            };
    }

    /// <summary>A prompt of 1,500 tokens is read in a few passes where nothing else is to do.</summary>
    [Fact]
    public async Task An_answer_whose_guide_takes_long_sits_out_passes_of_prompts()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 2 });
        int slow = 0,
            before = 0,
            after = 0;
        Task<Answer>? neighbour = null;
        Task<Answer> held = tested.Ask(
            new()
            {
                Prompt = [1, 2, 3],
                MaxTokens = 300,
                Sampling = SamplingOptions.Greedy,
                Guide = new Listening(made =>
                {
                    slow = made;
                    if (made == 20)
                    {
                        before = made;
                        neighbour = tested.Ask(
                            new()
                            {
                                Prompt = LoadedModel.Prompt(1500, Vocabulary, seed: 1),
                                MaxTokens = 1,
                                Sampling = SamplingOptions.Greedy,
                                Guide = new Listening(_ => after = slow),
                            },
                            Stop
                        );
                    }
                    Thread.Sleep(made < 20 || neighbour!.IsCompleted ? 0 : 100);
                }),
            },
            Stop
        );
        while (Volatile.Read(ref neighbour) is null)
            await Task.Delay(1, Stop);
        await neighbour!;
        Assert.InRange(after - before, 0, 60); // 280 where the prompt waits for the end of the answer
        Assert.Equal(300, (await held).Ids.Length);
    }

    /// <summary>
    /// Passes of an answer that owes nothing pay for the guide of another, and read the prompt. How many they are
    /// depends on the machine: some 250 of the 3,940 that are left of the answer.
    /// </summary>
    [Fact]
    public async Task Prompts_are_read_while_others_pay_for_a_guide_that_takes_long()
    {
        const int Tokens = 4000;
        using var tested = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 3 });
        using var ended = new CancellationTokenSource();
        Task<Answer>? neighbour = null;
        int made = 0,
            first = 0;
        var guide = new Listening(_ => Thread.Sleep(Volatile.Read(ref made) < 40 ? 0 : 100));
        Task<Answer> held = tested.Ask(Request([1, 2, 3], guide, Tokens), ended.Token);
        var watch = new Listening(others =>
        {
            Volatile.Write(ref made, others);
            if (others != 60)
                return;
            int[] prompt = LoadedModel.Prompt(500, Vocabulary, seed: 1);
            neighbour = tested.Ask(Request(prompt, new Listening(_ => first = Volatile.Read(ref made)), 1), Stop);
        });
        Task<Answer> beside = tested.Ask(Request([4, 5, 6], watch, Tokens), ended.Token);
        while (Volatile.Read(ref neighbour) is null)
            await Task.Delay(1, Stop);
        await neighbour!;
        await ended.CancelAsync();
        await Task.WhenAll(held, beside)
            .ContinueWith(_ => { }, Stop, TaskContinuationOptions.None, TaskScheduler.Default);
        Assert.InRange(first, 60, Tokens / 2); // all 4,000 where the prompt waits for the end of the answer

        static GenerationRequest Request(int[] prompt, ITokenGuide guide, int tokens) =>
            new()
            {
                Prompt = prompt,
                MaxTokens = tokens,
                Sampling = SamplingOptions.Greedy,
                Guide = guide,
            };
    }

    [Fact]
    public async Task A_limit_within_what_is_not_chosen_ends_the_answer_without_a_pass()
    {
        Answer answer = await _tested.AskAlone(
            new()
            {
                Prompt = [1],
                MaxTokens = 2,
                Guide = new Opening([7, 8, 9]),
            }
        );
        Assert.Equal([7, 8], answer.Ids);
        Assert.Equal(EndReason.MaxTokens, answer.End);
        Assert.Equal(0, _tested.Engine.Passes);
    }

    [Fact]
    public async Task A_scripted_token_that_is_not_allowed_ends_its_own_request()
    {
        GenerationRequest other = new()
        {
            Prompt = [4, 5, 6],
            MaxTokens = 30,
            Sampling = SamplingOptions.Greedy,
        };
        Task<Answer> beside = _tested.AskAlone(other);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _tested.AskAlone(
                new()
                {
                    Prompt = [1],
                    Script = [0, 8, 3],
                    Guide = new Sevenths(TokenMaskForm.Bits),
                }
            )
        );
        Assert.Contains("the sevenths", error.Message);
        Assert.Contains("3", error.Message);
        Assert.Equal(await _tested.AskAlone(other), await beside);
    }

    [Fact]
    public async Task A_bias_against_all_that_is_allowed_names_what_allows_so_few()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _tested.AskAlone(
                new()
                {
                    Prompt = [1],
                    Guide = new Sevenths(TokenMaskForm.Allowed),
                    Sampling = new()
                    {
                        LogitBias = Enumerable
                            .Range(0, Vocabulary / 2)
                            .ToDictionary(i => i, _ => float.NegativeInfinity),
                    },
                }
            )
        );
        Assert.Contains("the sevenths", error.Message);
        Assert.Contains("LogitBias", error.Message);
    }

    public void Dispose()
    {
        _tested.Dispose();
        _model.Dispose();
    }

    /// <summary>Allows the tokens of the first half whose rest by seven is that of their place.</summary>
    private sealed class Sevenths(TokenMaskForm form) : ITokenGuide
    {
        private int _made;

        public string Name => "the sevenths";

        public static bool Allows(int made, int token) => token < Vocabulary / 2 && token % 7 == made % 7;

        public Guidance Begin() => Here();

        public Guidance After(int token)
        {
            _made++;
            return Here();
        }

        public int CountAllowed(ReadOnlySpan<int> guess)
        {
            int count = 0;
            while (count < guess.Length && Allows(_made + count, guess[count]))
                count++;
            return count;
        }

        private Guidance Here()
        {
            var bits = new ulong[TokenMask.Words(Vocabulary)];
            for (int token = 0; token < Vocabulary; token++)
                if (Allows(_made, token))
                    bits[token / 64] |= 1UL << (token % 64);
            return new() { Allowed = TokenMask.Of(bits, Vocabulary).As(form) };
        }
    }

    /// <summary>Dictates how the answer begins, and nothing more.</summary>
    private sealed class Opening(int[] opening) : ITokenGuide
    {
        public string Name => "the opening";

        public Guidance Begin() => new() { Dictated = opening };

        public Guidance After(int token) => new();

        public int CountAllowed(ReadOnlySpan<int> guess) => guess.Length;
    }
}
