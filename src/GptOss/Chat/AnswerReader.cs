using System.Text;
using GptOss.Harmony;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>A message of the model, read out of the contents of an answer.</summary>
/// <param name="Channel">One of <see cref="ChannelNames"/>.</param>
/// <param name="Text">What it says; of a call, its arguments.</param>
/// <param name="Call">Set if it is a call.</param>
/// <param name="Type">A call's content type; null for none.</param>
/// <param name="Tokens">The ids of the text; null for those of the tokenizer.</param>
internal sealed record SpokenMessage(
    string Channel,
    string Text,
    FunctionCallContent? Call = null,
    string? Type = null,
    IReadOnlyList<int>? Tokens = null
)
{
    /// <summary>The content type that the model writes before arguments.</summary>
    public const string UsualType = SpecialTokens.ConstrainName + "json";

    /// <summary>The content types that a stored message may claim; others could be structure.</summary>
    public static bool IsKnownType(string type) => type == UsualType || ToolNames.ContentTypes.Contains(type);
}

/// <summary>The contents of an answer as the messages that the model wrote.</summary>
/// <remarks>
/// With parts that fit the contents they are exactly those; reasoning that a caller dropped as a whole is no misfit.
/// Without, reasoning is <c>analysis</c>, text before a call is <c>commentary</c> and other text is <c>final</c>. The
/// same contents and parts give the same messages, whether they are the client's own objects or were read back from
/// JSON.
/// </remarks>
internal static class AnswerReader
{
    /// <param name="contents">Of one message of the assistant; what is neither text, reasoning nor call is passed
    /// over.</param>
    /// <param name="parts">What the message carries; null for nothing. A stranger's parts are only taken if they
    /// fit.</param>
    /// <param name="tokenizer">Compares ids with the text that they shall say.</param>
    public static IReadOnlyList<SpokenMessage> Read(
        IEnumerable<AIContent> contents,
        IReadOnlyList<AnswerPart>? parts,
        Tokenizer tokenizer
    )
    {
        List<Run> runs = Runs(contents);
        return (parts is null ? null : ByParts(runs, parts, tokenizer)) ?? Plain(runs);
    }

    private static List<SpokenMessage> Plain(List<Run> runs)
    {
        var messages = new List<SpokenMessage>(runs.Count);
        int lastCall = runs.FindLastIndex(run => run.Call is not null);
        for (int i = 0; i < runs.Count; i++)
        {
            Run run = runs[i];
            messages.Add(
                run.Call is { } call
                    ? new SpokenMessage(
                        ChannelNames.Commentary,
                        ToolText.Arguments(call),
                        call,
                        SpokenMessage.UsualType
                    )
                    : new SpokenMessage(
                        run.IsReasoning ? ChannelNames.Analysis
                            : i < lastCall ? ChannelNames.Commentary
                            : ChannelNames.Final,
                        run.Text
                    )
            );
        }
        return messages;
    }

    /// <summary>Null if the parts are not of these contents.</summary>
    private static List<SpokenMessage>? ByParts(List<Run> runs, IReadOnlyList<AnswerPart> parts, Tokenizer tokenizer)
    {
        var messages = new List<SpokenMessage>();
        int at = 0,
            from = 0;
        // Some frameworks give back texts and calls and never reasoning; what they do give back is still the model's.
        bool isWithoutReasoning = !runs.Any(run => run.IsReasoning);
        foreach (AnswerPart part in parts)
        {
            if (part.In == PartPlace.Reasoning && isWithoutReasoning)
                continue;
            if (part.In == PartPlace.Nowhere)
            {
                messages.Add(
                    new SpokenMessage(part.Channel, part.Words ?? "", Tokens: Own(part, part.Words ?? "", tokenizer))
                );
                continue;
            }
            if (at == runs.Count)
                return null;
            Run run = runs[at];
            if (part.In == PartPlace.Call)
            {
                if (run.Call is not { } call)
                    return null;
                messages.Add(Call(call, part, tokenizer));
                at++;
                continue;
            }
            if (run.Call is not null || run.IsReasoning != (part.In == PartPlace.Reasoning))
                return null;
            int start = from + (part.IsBordered ? AnswerPart.Border.Length : 0);
            if (
                start > run.Text.Length
                || part.Length > run.Text.Length - start
                || (part.IsBordered && !run.Text.AsSpan(from..start).SequenceEqual(AnswerPart.Border))
            )
                return null;
            string text = run.Text.Substring(start, part.Length);
            messages.Add(new SpokenMessage(part.Channel, text, Tokens: Own(part, text, tokenizer)));
            from = start + part.Length;
            if (from == run.Text.Length)
                (at, from) = (at + 1, 0);
        }
        return at == runs.Count ? messages : null;
    }

    /// <summary>The arguments as the model wrote them, unless the caller has changed them since.</summary>
    private static SpokenMessage Call(FunctionCallContent call, AnswerPart part, Tokenizer tokenizer)
    {
        string compact = ToolText.Arguments(call);
        string text = part.Words is { } written && ToolText.Same(written, compact) ? written : compact;
        string? type = part.Type switch
        {
            null => SpokenMessage.UsualType,
            { } known when SpokenMessage.IsKnownType(known) => known,
            _ => null,
        };
        return new SpokenMessage(part.Channel, text, call, type, Own(part, text, tokenizer));
    }

    /// <summary>The ids of a part, if they are text and say this text.</summary>
    private static int[]? Own(AnswerPart part, string text, Tokenizer tokenizer) =>
        part.Tokens is { } tokens
        && tokens.All(token => (uint)token < (uint)tokenizer.VocabularySize && !tokenizer.IsSpecial(token))
        && tokenizer.Decode(tokens) == text
            ? tokens
            : null;

    private static List<Run> Runs(IEnumerable<AIContent> contents)
    {
        var runs = new List<Run>();
        var running = new StringBuilder(); // the text of the last run: an answer comes in a piece for each token
        foreach (AIContent content in contents)
        {
            (string text, bool isReasoning, FunctionCallContent? call) = content switch
            {
                TextContent spoken => (spoken.Text, false, null),
                TextReasoningContent reasoning => (reasoning.Text, true, null),
                FunctionCallContent made => ("", false, made),
                _ => ("", false, (FunctionCallContent?)null),
            };
            if (text.Length == 0 && call is null)
                continue;
            if (call is not null || runs is not [.., { Call: null } last] || last.IsReasoning != isReasoning)
            {
                End();
                runs.Add(new Run("", isReasoning, call));
            }
            running.Append(text);
        }
        End();
        return runs;

        void End()
        {
            if (running.Length > 0)
                runs[^1] = runs[^1] with { Text = running.ToString() };
            running.Clear();
        }
    }

    /// <summary>Neighbouring contents of one kind as one text, or a call.</summary>
    private readonly record struct Run(string Text, bool IsReasoning, FunctionCallContent? Call);
}
