using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// A call that nobody can carry out: its arguments are no JSON object, or no function is offered at all.
/// </summary>
/// <param name="Content">The call as a caller would see it.</param>
/// <param name="Message">What the model wrote.</param>
/// <param name="Reason">What is wrong with it, as a sentence for the model.</param>
internal sealed record BrokenCall(FunctionCallContent Content, HarmonyMessage Message, string Reason)
{
    /// <summary>Null if nothing is wrong.</summary>
    /// <remarks>
    /// A name that is not among functions that are offered is no fault here: the function loop answers it.
    /// </remarks>
    public static string? WhatIsWrong(FunctionCallContent call, OfferedTools tools) =>
        tools.Functions.Count == 0
            ? $"there is no function '{call.Name}': no functions are offered. Answer without calling one."
        : call.Exception is { } error
            ? $"the arguments of this call are not a JSON object ({error.GetBaseException().Message}). The function "
                + "was not called. Call it again with arguments that are one JSON object."
        : null;

    /// <summary>A call that a limit broke off, whatever its arguments look like so far.</summary>
    public static FunctionCallContent CutOff(FunctionCallContent call) =>
        new(call.CallId, call.Name)
        {
            Exception = call.Exception
                ?? new JsonException(
                    "The answer reached its limit within this call, so that its arguments may be incomplete."
                ),
            RawRepresentation = call.RawRepresentation,
        };

    /// <summary>What the model is told in the place of a result.</summary>
    public HarmonyMessage Answer() =>
        new(HarmonyRole.Tool, "Error: " + Reason)
        {
            Name = Message.Recipient,
            Recipient = HarmonyRole.Assistant.Word(),
            Channel = Message.Channel ?? ChannelNames.Commentary,
        };
}
