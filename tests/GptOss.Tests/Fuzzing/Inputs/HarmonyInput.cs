using System.Runtime.InteropServices;
using System.Text;
using GptOss.Cli.Debug;
using GptOss.Harmony;
using GptOss.Tests.Harmony;
using GptOss.Tokenization;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>
/// Ids of tokens, 32 bits each: anything may come out of a model, and the parser takes it. The first number chooses
/// whose message it is.
/// </summary>
internal sealed class HarmonyInput : FuzzInput
{
    private static readonly SpecialTokens Special = Markup.Special;
    private static readonly HarmonyRole?[] Presets = [HarmonyRole.Assistant, null, HarmonyRole.Tool];

    private static readonly int[] Markers =
    [
        Special.Start,
        Special.Channel,
        Special.Constrain,
        Special.Message,
        Special.End,
        Special.Call,
        Special.Return,
        Special.EndOfText!.Value,
    ];

    // Words of headers, beginnings of characters, ends of characters, ids of no vocabulary.
    private static readonly int[] Pieces =
    [
        .. Markup.Tokens(
            "assistant user system analysis commentary final to=functions.f json code {\"a\":1} \n\u00a0💖é"
        ),
        9552,
        12194,
        135596,
        244,
        31446,
        199_998,
        200_013,
        201_087,
        201_088,
        201_089,
        -1,
        int.MaxValue,
        int.MinValue,
    ];

    private static readonly List<int>[] Answers =
    [
        Markup.Tokens(
            "<|channel|>analysis<|message|>2 + 2 💖 é<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>"
        ),
        Markup.Tokens(
            "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary "
                + "to=functions.f <|constrain|>json<|message|>{\"a\":1}<|call|>"
        ),
        Markup.Tokens(
            " to=functions.f<|channel|>commentary json<|message|>{}<|call|><|start|>functions.f to=assistant"
                + "<|channel|>commentary<|message|>out<|end|>"
        ),
        Markup.Tokens("I must refuse<|end|><|start|>assistant<|channel|>final<|message|>Sorry.<|return|>"),
    ];

    public override string Name => "harmony-tokens";

    public override int Cases => 40_000;

    public override bool CanBeRefused => false;

    public override byte[] Draw(Random random)
    {
        List<int> tokens = [];
        if (random.Next(2) == 0)
            for (int count = random.Next(24); count > 0; count--)
                tokens.Add(DrawToken(random));
        else
            Damage(tokens = [.. Any(Answers, random)], random);
        tokens.Insert(0, random.Next(Presets.Length));
        return [.. MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(tokens))];
    }

    /// <summary>No exception, no lost character, and what the reference reads is read in the same way.</summary>
    public override bool Reads(byte[] input)
    {
        int[] numbers = MemoryMarshal.Cast<byte, int>(input).ToArray(),
            tokens = numbers[Math.Min(1, numbers.Length)..];
        HarmonyRole? preset = Presets[numbers.Length == 0 ? 0 : (uint)numbers[0] % Presets.Length];
        (HarmonyParser parser, List<HarmonyEvent> events) = Markup.Parse(tokens, preset, "f");
        EventsTellTheMessages(parser, events);
        ContentIsWhole(parser, tokens);
        ReadsLikeTheReferenceWhereThatSucceeds(tokens, preset);
        return true;
    }

    private static void Damage(List<int> tokens, Random random)
    {
        for (int damage = random.Next(1, 4); damage > 0 && tokens.Count > 0; damage--)
        {
            int at = random.Next(tokens.Count);
            switch (random.Next(4))
            {
                case 0:
                    tokens.RemoveAt(at);
                    break;
                case 1:
                    tokens.Insert(at, DrawToken(random));
                    break;
                case 2:
                    tokens[at] = DrawToken(random);
                    break;
                default:
                    tokens.RemoveRange(at, tokens.Count - at);
                    break;
            }
        }
    }

    private static int DrawToken(Random random) =>
        random.Next(4) switch
        {
            0 or 1 => Any(Markers, random),
            2 => Any(Pieces, random),
            _ => random.Next(201_100),
        };

    private static void EventsTellTheMessages(HarmonyParser parser, List<HarmonyEvent> events)
    {
        Assert.Equal(
            parser.Messages,
            events.OfType<HarmonyEvent.MessageFinished>().Select(finished => finished.Message)
        );
        Assert.Single(events.OfType<HarmonyEvent.End>());
        var text = new StringBuilder();
        bool isCall = false;
        foreach (HarmonyEvent e in events)
        {
            switch (e)
            {
                case HarmonyEvent.TextDelta delta:
                    Assert.NotEmpty(delta.Delta);
                    text.Append(delta.Delta);
                    break;
                case HarmonyEvent.ArgumentsDelta delta:
                    Assert.True(isCall);
                    Assert.NotEmpty(delta.Delta);
                    text.Append(delta.Delta);
                    break;
                case HarmonyEvent.CallBegun:
                    Assert.False(isCall);
                    Assert.Equal(0, text.Length);
                    isCall = true;
                    break;
                case HarmonyEvent.CallFinished call:
                    Assert.True(isCall);
                    Assert.Equal(text.ToString(), call.Arguments);
                    isCall = false;
                    break;
                case HarmonyEvent.MessageFinished { Message: { Role: HarmonyRole.Assistant } message }:
                    Assert.Equal(text.ToString(), message.Text);
                    Assert.True(message.Recipient is not null || ChannelNames.All.Contains(message.Channel));
                    text.Clear();
                    break;
            }
        }
        Assert.Equal(0, text.Length);
        Assert.False(isCall);
    }

    /// <summary>
    /// All that stands between <c>&lt;|message|&gt;</c> and the next token that ends a message is in the messages, in
    /// order.
    /// </summary>
    private static void ContentIsWhole(HarmonyParser parser, IReadOnlyList<int> tokens)
    {
        var messages = new Queue<string>(parser.Messages.Select(message => message.Text));
        foreach (string content in Contents(tokens))
        {
            // Free text of a header may have become a message of its own, or the beginning of this one.
            while (messages.Count > 0 && !messages.Peek().EndsWith(content, StringComparison.Ordinal))
                messages.Dequeue();
            Assert.True(messages.Count > 0, $"The content '{content}' is in no message.");
            messages.Dequeue();
        }
    }

    /// <summary>Contents of well-begun messages: from a header's <c>&lt;|message|&gt;</c> on.</summary>
    private static IEnumerable<string> Contents(IReadOnlyList<int> tokens)
    {
        for (int i = 0; i < tokens.Count; i++)
        {
            if (tokens[i] != Special.Start)
                continue;
            int message = i + 1;
            while (message < tokens.Count && !Ends(tokens[message]) && tokens[message] != Special.Message)
                message++;
            if (message == tokens.Count || tokens[message] != Special.Message)
                continue;
            int end = message + 1;
            while (end < tokens.Count && !Ends(tokens[end]))
                end++;
            yield return Lossy(
                tokens
                    .Skip(message + 1)
                    .Take(end - message - 1)
                    .Where(token => token != Special.Channel && token != Special.Constrain && token != Special.Message)
            );
            i = end - 1;
        }
    }

    private static bool Ends(int token) =>
        token == Special.Start || Special.EndsMessage(token) || token == Special.EndOfText;

    private static string Lossy(IEnumerable<int> tokens)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        foreach (int token in tokens)
        {
            if (token is >= 0 and < 201_088)
                bytes.AddRange(Tokenizer.O200kHarmony.Bytes[token]);
            else if (token == 201_088)
                bytes.AddRange("<|reserved_201088|>"u8);
            else
            {
                text.Append(Encoding.UTF8.GetString([.. bytes])).Append('\uFFFD');
                bytes.Clear();
            }
        }
        return text.Append(Encoding.UTF8.GetString([.. bytes])).ToString();
    }

    /// <summary>The reference throws nothing either; its observable deltas are a part of each message's text.</summary>
    private static void ReadsLikeTheReferenceWhereThatSucceeds(int[] tokens, HarmonyRole? preset)
    {
        var parser = new ReferenceParser(Special, preset, strict: tokens.Length % 2 == 0);
        var text = new StringBuilder();
        foreach (int token in tokens)
        {
            int messages = parser.Messages.Count;
            if (!parser.Accept(token))
                return;
            text.Append(parser.View().Delta);
            if (parser.Messages.Count > messages)
            {
                Assert.StartsWith(text.ToString(), parser.Messages[^1].Text, StringComparison.Ordinal);
                text.Clear();
            }
        }
        parser.Finish();
    }
}
