using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>Answers, options and functions that the tests of the chat client share.</summary>
internal static class ChatScript
{
    public const string Greeting =
        "<|channel|>analysis<|message|>The user greets.<|end|><|start|>assistant<|channel|>final<|message|>Hello there!<|return|>";

    public const string Call =
        "<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant"
        + "<|channel|>commentary<|message|>Let me look.<|end|><|start|>assistant"
        + """<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Lisbon"}<|call|>""";

    public const string Answer = "<|channel|>final<|message|>It is sunny.<|return|>";

    /// <summary>Options whose prompt is the same every day.</summary>
    public static ChatOptions Options(GptOssRequestOptions? own = null) =>
        new() { RawRepresentationFactory = _ => (own ?? new()) with { CurrentDate = new DateOnly(2026, 11, 24) } };

    /// <summary>The same options with a function.</summary>
    public static ChatOptions With(AIFunction function)
    {
        ChatOptions options = Options();
        options.Tools = [function];
        return options;
    }

    public static AIFunction Weather(Func<string, object?> result) =>
        AIFunctionFactory.Create((string city) => result(city), "get_weather", "Tells the weather.");

    /// <summary>The form of a structured answer.</summary>
    internal sealed record Person(string Name, int Age);
}
