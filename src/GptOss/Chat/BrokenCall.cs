using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// A function call of the model that nobody can carry out, with the reason: its arguments are no JSON object, or no
/// function is offered at all.
/// </summary>
/// <param name="Content">The call as a caller would see it.</param>
/// <param name="Message">The call as the model wrote it.</param>
/// <param name="Reason">What is wrong with the call, as a sentence for the model.</param>
internal sealed record BrokenCall(FunctionCallContent Content, HarmonyMessage Message, string Reason)
{
    /// <summary>The reason why a call cannot be carried out; null if it can.</summary>
    /// <remarks>
    /// A call of a function that is not offered, while others are, counts as one that can: the caller's function loop
    /// tells the model.
    /// </remarks>
    public static string? WhatIsWrong(FunctionCallContent call, OfferedTools tools) =>
        tools.Functions.Count == 0
            ? $"there is no function '{call.Name}': no functions are offered. Answer without calling one."
        : call.Exception is { } error
            ? $"the arguments of this call are not a JSON object ({error.GetBaseException().Message}). The function "
                + "was not called. Call it again with arguments that are one JSON object."
        : null;

    /// <summary>
    /// The same call without arguments, for one that a limit broke off: even arguments that are JSON so far may be
    /// incomplete.
    /// </summary>
    public static FunctionCallContent CutOff(FunctionCallContent call) =>
        new(call.CallId, call.Name)
        {
            Exception = call.Exception
                ?? new JsonException(
                    "The answer reached its limit within this call, so that its arguments may be incomplete."
                ),
            RawRepresentation = call.RawRepresentation,
        };

    /// <summary>The message that tells the model the reason, in the place of a result.</summary>
    public HarmonyMessage Answer() =>
        new(HarmonyRole.Tool, "Error: " + Reason)
        {
            Name = Message.Recipient,
            Recipient = HarmonyRole.Assistant.Word(),
            Channel = Message.Channel ?? ChannelNames.Commentary,
        };
}
