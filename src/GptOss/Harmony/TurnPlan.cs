using GptOss.Constraints;

namespace GptOss.Harmony;

/// <summary>What a turn of the assistant may hold, out of which <see cref="TurnGrammar"/> makes a rule.</summary>
internal sealed record TurnPlan
{
    /// <summary>Whether the turn may begin with reasoning.</summary>
    public bool HasReasoning { get; init; } = true;

    /// <summary>Whether the model may say something to the user before a call or its answer.</summary>
    public bool HasPreambles { get; init; }

    /// <summary>Whether the model may call whatever it likes, with whatever it likes.</summary>
    public bool HasFreeCalls { get; init; }

    /// <summary>The answer on the final channel; null where the turn has to end in a call.</summary>
    public TurnBody? Final { get; init; }

    /// <summary>The functions that may be called, by the names that the model sees.</summary>
    public IReadOnlyList<TurnCall> Calls { get; init; } = [];
}

/// <summary>The text of an answer.</summary>
/// <param name="Rule">What it is held to; null for free text.</param>
/// <param name="IsJson">Whether its header may say that it is JSON.</param>
internal sealed record TurnBody(Rule? Rule, bool IsJson)
{
    /// <summary>An answer in the model's own words.</summary>
    public static TurnBody Free { get; } = new(Rule: null, IsJson: false);
}

/// <summary>A function that may be called.</summary>
/// <param name="Function">The name that the model sees, without its namespace.</param>
/// <param name="Arguments">What the arguments are held to.</param>
internal sealed record TurnCall(string Function, Rule Arguments);
