using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Answer;

/// <summary>What a <see cref="TextView"/> does with reasoning, calls and their results.</summary>
internal enum ReasoningView
{
    /// <summary>Reasoning and calls do not appear.</summary>
    Hidden,

    /// <summary>On a terminal one line says how long reasoning and calls took; elsewhere they do not appear.</summary>
    Folded,

    /// <summary>Reasoning and calls appear as they come, dimmed on a terminal.</summary>
    Shown,
}

/// <summary>An answer for a person: its text, above it the reasoning and the calls as far as they are wanted.</summary>
internal sealed class TextView(Screen screen, ReasoningView reasoning) : IAnswerView
{
    // An empty line keeps the parts of an answer apart where there is no dimmed text to do it.
    private const string PartBreak = "\n\n";

    // Calls are shown to a person: without line breaks, and with the letters of every language as they are.
    private static readonly JsonTypeInfo OneLine = new JsonSerializerOptions(AIJsonUtilities.DefaultOptions)
    {
        WriteIndented = false,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    }.GetTypeInfo(typeof(IDictionary<string, object?>));

    private ShownPart _part = ShownPart.Nothing;
    private long _foldStarted;
    private string _foldLine = "";

    private enum ShownPart
    {
        Nothing,
        Fold,
        Reasoning,
        Call,
        Text,
    }

    public void Show(AIContent content)
    {
        switch (content)
        {
            case TextContent { Text.Length: > 0 } text:
                Begin(ShownPart.Text);
                screen.Write(text.Text);
                break;
            case TextReasoningContent { Text.Length: > 0 }
            or FunctionCallContent
            or FunctionResultContent when reasoning == ReasoningView.Folded:
                Fold();
                break;
            case TextReasoningContent { Text.Length: > 0 } thought when reasoning == ReasoningView.Shown:
                Begin(ShownPart.Reasoning);
                screen.WriteDimmed(thought.Text);
                break;
            case FunctionCallContent or FunctionResultContent when reasoning == ReasoningView.Shown:
                Begin(ShownPart.Call);
                screen.WriteDimmed(Line(content));
                break;
        }
    }

    public void End(ChatResponse answer)
    {
        if (_part == ShownPart.Fold)
            Unfold();
        else if (_part != ShownPart.Nothing)
            screen.WriteLine();
    }

    /// <summary>A call or its result on one line.</summary>
    internal static string Line(AIContent content) =>
        (
            content switch
            {
                FunctionCallContent call => $"→ {call.Name} {JsonSerializer.Serialize(call.Arguments, OneLine)}",
                FunctionResultContent result => $"← {result.Result ?? result.Exception?.Message}",
                _ => "",
            }
        ).ReplaceLineEndings(" ");

    private void Begin(ShownPart part)
    {
        if (_part == ShownPart.Fold)
            Unfold();
        else if (_part == part && part == ShownPart.Call)
            screen.Write("\n");
        else if (_part != part && _part != ShownPart.Nothing)
            screen.Write(PartBreak);
        _part = part;
    }

    private void Fold()
    {
        if (!screen.CanStyle)
            return;
        if (_part != ShownPart.Fold)
        {
            Begin(ShownPart.Fold);
            _foldLine = "";
            _foldStarted = Stopwatch.GetTimestamp();
        }
        string line = $"thinking … {Seconds()} s";
        if (line != _foldLine)
            screen.Rewrite(line);
        _foldLine = line;
    }

    private void Unfold()
    {
        screen.Rewrite($"thought for {Seconds()} s");
        screen.Write(PartBreak);
    }

    private string Seconds() =>
        Stopwatch.GetElapsedTime(_foldStarted).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
}
