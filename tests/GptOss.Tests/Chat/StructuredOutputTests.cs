// Over 300 lines: every way in which a request is held to a form, over one script.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>What a request is held to, from its options to the answer, over a script and over the tiny model.</summary>
public sealed class StructuredOutputTests
{
    private const string Final = "<|channel|>final<|message|>",
        To = "<|channel|>commentary to=";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("yes", true)]
    [InlineData("no", true)]
    [InlineData("maybe", false)]
    public async Task An_answer_is_one_of_the_choices(string answer, bool isAllowed)
    {
        ChatOptions options = Options(new() { Grammar = GptOssGrammar.Choices("yes", "no") });
        await Verdict(Final + answer + "<|return|>", options, isAllowed);
    }

    [Theory]
    [InlineData("{\"name\":\"Ada\",\"age\":36}", true)]
    [InlineData("{ \"name\": \"Ada\",\n  \"age\": 36\n}", true)]
    [InlineData("{\"name\":\"Ada\"}", false)]
    [InlineData("{\"name\":\"Ada\",\"age\":\"36\"}", false)]
    [InlineData("Here you are: {\"name\":\"Ada\",\"age\":36}", false)]
    [InlineData("```json\n{\"name\":\"Ada\",\"age\":36}\n```", false)]
    public async Task An_answer_fits_its_schema_and_nothing_stands_beside_it(string answer, bool isAllowed)
    {
        ChatOptions options = Options();
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema<Person>();
        foreach (string header in (string[])[Final, "<|channel|>final <|constrain|>json<|message|>"])
            await Verdict(header + answer + "<|return|>", options, isAllowed);
    }

    [Theory]
    [InlineData(To + "functions.get_weather <|constrain|>json<|message|>{\"city\":1}<|call|>", true)]
    [InlineData(To + "functions.get_weather<|message|>{\"x\":[1,{}]}<|call|>", true)]
    [InlineData(To + "functions.get_weather<|message|>{\"x\":1,\"x\":2}<|call|>", false)]
    [InlineData(To + "functions.get_weather<|message|>[1]<|call|>", false)]
    [InlineData(To + "functions.fly<|message|>{}<|call|>", false)]
    [InlineData(To + "get_weather<|message|>{}<|call|>", false)]
    [InlineData("<|channel|>analysis<|message|>Done.<|return|>", false)]
    [InlineData(Final + "It is sunny.<|return|>", true)]
    [InlineData(Final + "It spells <|end|> out.", true)] // as text
    public async Task A_call_names_what_is_offered_with_a_json_object(string answer, bool isAllowed) =>
        await Verdict(
            answer.Contains("spells", StringComparison.Ordinal) ? Final + "It spells < |end|> out.<|return|>" : answer,
            With(Weather(_ => "")),
            isAllowed
        );

    [Theory]
    [InlineData("{\"city\":\"Lisbon\"}", true)]
    [InlineData("{\"city\":1}", false)]
    [InlineData("{}", false)]
    public async Task Strict_calls_fit_their_schema(string arguments, bool isAllowed)
    {
        ChatOptions options = Options(new() { StrictTools = true });
        options.Tools = [Weather(_ => "")];
        string call = $"<|channel|>commentary to=functions.get_weather<|message|>{arguments}<|call|>";
        await Verdict(call, options, isAllowed);
        await Verdict("<|channel|>commentary<|message|>I look.<|end|><|start|>assistant" + call, options, isAllowed);
    }

    /// <summary>The mark that Microsoft.Extensions.AI's adapters for OpenAI read, too.</summary>
    [Fact]
    public async Task Of_two_functions_the_one_that_is_marked_strict_is_held_to_its_schema()
    {
        ChatOptions options = Options();
        options.Tools =
        [
            Weather(_ => ""),
            AIFunctionFactory.Create(
                ([AllowedValues("One", "Two")] string a) => a,
                new AIFunctionFactoryOptions
                {
                    Name = "find",
                    AdditionalProperties = new Dictionary<string, object?> { ["strict"] = true },
                }
            ),
            // Nobody could be held to this one, and nobody asks for it.
            AIFunctionFactory.CreateDeclaration(
                "free",
                null,
                JsonElement.Parse("""{"type":"object","properties":{"a":{"type":"string","pattern":"(?<=x)y"}}}""")
            ),
        ];
        await Verdict(Call("get_weather", "{\"city\":1}"), options, isAllowed: true);
        await Verdict(Call("find", "{\"a\":\"One\"}"), options, isAllowed: true);
        await Verdict(Call("find", "{\"a\":\"Three\"}"), options, isAllowed: false);
        await Verdict(Call("free", "{\"a\":1}"), options, isAllowed: true);

        static string Call(string name, string arguments) =>
            $"<|channel|>commentary to=functions.{name}<|message|>{arguments}<|call|>";
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_a_limit_cuts_anywhere_is_for_information_only(bool isRequired)
    {
        string answer =
            "<|channel|>analysis<|message|>Away.<|end|><|start|>assistant"
            + To
            + "functions.delete <|constrain|>json<|message|>{\"folder\": \"a\"}<|call|>";
        int tokens = TokenScript.Count(answer);
        for (int limit = 1; limit <= tokens; limit++)
        {
            int deleted = 0;
            ChatOptions options = With(AIFunctionFactory.Create((string folder) => ++deleted, "delete"));
            options.ToolMode = isRequired ? ChatToolMode.RequireAny : ChatToolMode.Auto;
            options.MaxOutputTokens = limit;
            ChatResponse response = await new TokenScript(answer).Client().GetResponseAsync("Go", options, Stop);

            FunctionCallContent? call = response.Messages[0].Contents.OfType<FunctionCallContent>().SingleOrDefault();
            if (limit == tokens)
                Assert.Equal((false, ChatFinishReason.ToolCalls), (call!.InformationalOnly, response.FinishReason));
            else
            {
                Assert.Equal(ChatFinishReason.Length, response.FinishReason);
                Assert.True(call is null or { InformationalOnly: true, Exception: not null }, $"limit {limit}");
            }
            Assert.Equal(0, deleted);
        }
    }

    [Fact]
    public async Task Without_tools_no_header_of_a_call_can_begin()
    {
        await Verdict("<|channel|>commentary to=functions.f<|message|>{}<|call|>", Options(), isAllowed: false);
        await Verdict("<|channel|>commentary<|message|>I look.<|end|>", Options(), isAllowed: false);
        await Verdict("<|channel|>commentary to=f<|message|>{}<|call|>", Options(new() { FreeCalls = true }), true);
    }

    [Fact]
    public async Task Without_reasoning_the_answer_begins_at_once()
    {
        ChatOptions options = Options();
        options.Reasoning = new() { Effort = ReasoningEffort.None };
        await Verdict(Greeting, options, isAllowed: false);
        ChatResponse response = await new TokenScript("Hello.<|return|>")
            .Client()
            .GetResponseAsync("Hi", options, Stop);
        Assert.Equal("Hello.", response.Text);
    }

    [Fact]
    public async Task A_budget_of_reasoning_holds_before_a_form_and_before_a_required_call()
    {
        ChatOptions options = Options(new() { ReasoningBudget = 3 });
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema<Person>();
        string thought = "<|channel|>analysis<|message|>The user wants to know who wrote it.";
        ChatResponse response = await new TokenScript(thought + "{\"name\":\"Ada\",\"age\":36}")
            .Client()
            .GetResponseAsync("Who?", options, Stop)
            .ContinueWith(task => task.IsFaulted ? null! : task.Result, Stop);
        Assert.Null(response); // after three tokens the script goes on with words, which are no JSON

        int[] begun = [.. TokenScript.Tokenizer.Encode("The user wants")];
        Assert.Equal(3, begun.Length);
        response = await new TokenScript(
            "<|channel|>analysis<|message|>The user wants" + "<|channel|>final<|message|>{\"name\":\"Ada\",\"age\":36}"
        )
            .Client()
            .GetResponseAsync("Who?", options, Stop);
        Assert.Equal("{\"name\":\"Ada\",\"age\":36}", response.Text);
        Assert.Equal(3, response.Usage!.ReasoningTokenCount);
    }

    [Fact]
    public async Task Options_that_exclude_each_other_are_refused_before_the_model_works()
    {
        GptOssGrammar grammar = GptOssGrammar.Choices("a");
        ChatResponseFormat json = ChatResponseFormat.Json;
        await Refused(Options(new() { Grammar = grammar }), options => options.ResponseFormat = json);
        await Refused(Options(new() { Grammar = grammar }), options => options.StopSequences = ["x"]);
        await Refused(Options(), options => (options.ResponseFormat, options.StopSequences) = (json, ["x"]));
        await Refused(Options(new() { FreeCalls = true, StrictTools = true }), _ => { });
        await Refused(Options(new() { FreeCalls = true }), options => options.ToolMode = ChatToolMode.RequireAny);
        await Refused(Options(new() { RawHarmonyText = "<|start|>assistant" + Final + "b", Grammar = grammar }), _ =>
        { });

        static async Task Refused(ChatOptions options, Action<ChatOptions> set)
        {
            options.Tools = [Weather(_ => "")];
            set(options);
            var source = new TokenScript(Greeting);
            await Assert.ThrowsAsync<InvalidOperationException>(() =>
                source.Client().GetResponseAsync("Hi", options, Stop)
            );
            Assert.Empty(source.Requests);
        }
    }

    [Fact]
    public async Task A_schema_that_cannot_be_held_to_names_function_keyword_and_place()
    {
        ChatOptions options = Options(new() { StrictTools = true });
        options.Tools = [new Function("pay.now", """{"properties":{"sum":{"type":"number","minimun":3}}}""")];
        var error = await Assert.ThrowsAsync<SchemaException>(() =>
            new TokenScript(Greeting).Client().GetResponseAsync("Hi", options, Stop)
        );
        Assert.Equal(("minimun", "/properties/sum/minimun", "pay.now"), (error.Keyword, error.Pointer, error.Function));
        Assert.Contains("minimum", error.Message);
        Assert.Contains("pay.now", error.Message);

        options = Options();
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema(JsonElement.Parse("""{"type":"array"}"""));
        await Verdict(Final + "[1]<|return|>", options, isAllowed: true);
        options.ResponseFormat = null;
        options.Tools = [new Function("pay", """{"type":"array"}""")];
        options.ToolMode = ChatToolMode.RequireAny;
        error = await Assert.ThrowsAsync<SchemaException>(() =>
            new TokenScript(Greeting).Client().GetResponseAsync("Hi", options, Stop)
        );
        Assert.Equal("pay", error.Function);
    }

    [Theory]
    [InlineData(1_000, 65, true)]
    [InlineData(1_001, 9, false)]
    [InlineData(1_000, 66, false)]
    public async Task More_functions_than_can_be_held_to_are_refused_with_the_limit(int count, int length, bool fits)
    {
        ChatOptions options = Options();
        options.Tools = [.. Enumerable.Range(0, count).Select(i => new Function($"{i}".PadLeft(length, 'f'), "{}"))];
        var source = new TokenScript(Final + "Hello.<|return|>");
        Task<ChatResponse> asked = source.Client().GetResponseAsync("Hi", options, Stop);
        if (fits)
        {
            await Assert.ThrowsAsync<ContextLengthException>(() => asked); // of the script: they were accepted
            return;
        }
        var error = await Assert.ThrowsAsync<SchemaException>(() => asked);
        Assert.Matches("1,001 functions, and the limit is 1,000|66,000 bytes together", error.Message);
        Assert.Empty(source.Requests);
    }

    [Fact]
    public async Task What_was_left_out_of_a_schema_is_told()
    {
        JsonElement schema = JsonElement.Parse("""{"type":"array","uniqueItems":true,"items":{"type":"object"}}""");
        Assert.Throws<SchemaException>(() => GptOssGrammar.JsonSchema(schema));
        ChatOptions options = Options(new() { Schemas = new() { Relax = true } });
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema(schema);
        ChatResponse response = await new TokenScript(Final + "[{},{}]<|return|>")
            .Client()
            .GetResponseAsync("?", options, Stop);
        Assert.Equal(
            ["/uniqueItems"],
            Assert.IsType<string[]>(response.Messages[0].AdditionalProperties!["constraints.relaxed"])
        );
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task The_tiny_model_answers_in_every_form()
    {
        using GptOssChatClient client = await GptOssChatClient.LoadAsync(TinyGptOss.Folder, cancellationToken: Stop);
        ChatOptions options = Seeded(7, null);
        ChatResponse<Person> person = await client.GetResponseAsync<Person>("Who?", options, cancellationToken: Stop);
        Assert.NotNull(person.Result.Name);

        Assert.Contains(await Ask(GptOssGrammar.Choices("red", "green")), (string[])["red", "green"]);
        Assert.Matches("^[a-f]{4}-[0-9]{2}$", await Ask(GptOssGrammar.Regex("[a-f]{4}-[0-9]{2}")));
        Assert.Matches("^(ab)+$", await Ask(GptOssGrammar.Gbnf("root ::= \"ab\" root?")));
        for (int seed = 0; seed < 10; seed++)
        {
            options = Seeded(seed, null);
            options.ToolMode = ChatToolMode.RequireSpecific("add");
            options.Tools = [AIFunctionFactory.Create(Add, "add"), Weather(_ => "")];
            ChatResponse response = await client.GetResponseAsync("What is the weather in Lisbon?", options, Stop);
            var call = Assert.IsType<FunctionCallContent>(response.Messages[0].Contents[^1]);
            Assert.Equal("add", call.Name);
            Assert.Equal(["a", "b"], call.Arguments!.Keys.Order());
        }

        async Task<string> Ask(GptOssGrammar grammar) =>
            (await client.GetResponseAsync("Go", Seeded(7, grammar), Stop)).Text;

        // With a date of its own, so that each day has the same prompts.
        static ChatOptions Seeded(int seed, GptOssGrammar? grammar)
        {
            ChatOptions seeded = Options(new() { Grammar = grammar });
            (seeded.Seed, seeded.MaxOutputTokens) = (seed, 3_000);
            return seeded;
        }
    }

    [Description("Adds two numbers.")]
    private static int Add(int a, int b) => a + b;

    private static async Task Verdict(string answer, ChatOptions options, bool isAllowed)
    {
        Task<ChatResponse> asked = new TokenScript(answer).Client().GetResponseAsync("Go", options, Stop);
        if (isAllowed)
            Assert.NotNull(await asked);
        else
            Assert.Contains(
                "does not allow",
                (await Assert.ThrowsAsync<InvalidOperationException>(() => asked)).Message
            );
    }

    /// <summary>A function with a schema of its own, which nobody calls.</summary>
    private sealed class Function(string name, string schema) : AIFunctionDeclaration
    {
        public override string Name => name;

        public override JsonElement JsonSchema { get; } = JsonElement.Parse(schema);
    }
}
