using System.Text.Json.Serialization;
using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Wire;

/// <summary>An event of a stream of Messages.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(MessageStart), "message_start")]
[JsonDerivedType(typeof(MessagePing), "ping")]
[JsonDerivedType(typeof(BlockStart), "content_block_start")]
[JsonDerivedType(typeof(BlockPiece), "content_block_delta")]
[JsonDerivedType(typeof(BlockStop), "content_block_stop")]
[JsonDerivedType(typeof(MessageEnd), "message_delta")]
[JsonDerivedType(typeof(MessageStop), "message_stop")]
[JsonDerivedType(typeof(MessageFault), "error")]
internal abstract record MessageEvent;

/// <summary>The answer begins, without content.</summary>
internal sealed record MessageStart(MessageObject Message) : MessageEvent;

/// <summary>Nothing happened, and the server still works.</summary>
internal sealed record MessagePing : MessageEvent;

/// <summary>A block begins, without content.</summary>
internal sealed record BlockStart(int Index, MessageBlock ContentBlock) : MessageEvent;

/// <summary>A block grows by a piece.</summary>
internal sealed record BlockPiece(int Index, BlockDelta Delta) : MessageEvent;

/// <summary>A block is complete, or was cut by a limit.</summary>
internal sealed record BlockStop(int Index) : MessageEvent;

/// <summary>How the answer ended; without a reason, it has not.</summary>
internal sealed record MessageEnd(MessageEndDelta Delta, MessageUsage Usage) : MessageEvent;

/// <summary>Why the answer ended.</summary>
internal sealed record MessageEndDelta(string? StopReason, string? StopSequence);

/// <summary>The stream is over.</summary>
internal sealed record MessageStop : MessageEvent;

/// <summary>What a block grows by.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ThinkingDelta), "thinking_delta")]
[JsonDerivedType(typeof(SignatureDelta), "signature_delta")]
[JsonDerivedType(typeof(TextBlockDelta), "text_delta")]
[JsonDerivedType(typeof(InputDelta), "input_json_delta")]
internal abstract record BlockDelta;

/// <summary>A piece of the reasoning.</summary>
internal sealed record ThinkingDelta(string Thinking) : BlockDelta;

/// <summary>The reasoning in the form that comes back, once it is complete.</summary>
internal sealed record SignatureDelta(string Signature) : BlockDelta;

/// <summary>A piece of the text.</summary>
internal sealed record TextBlockDelta(string Text) : BlockDelta;

/// <summary>A piece of the arguments of a call.</summary>
internal sealed record InputDelta(string PartialJson) : BlockDelta;

/// <summary>A fault: the body of an error, and the last event of a stream that broke off.</summary>
internal sealed record MessageFault(MessageFaultDetail Error, string RequestId) : MessageEvent
{
    /// <summary>The body that tells a fault.</summary>
    public static MessageFault Of(Fault fault, string requestId) =>
        new(new MessageFaultDetail(TypeOf(fault.Kind), Message(fault)), requestId);

    // Clients read both numbers out of these words, and then shorten their history.
    private static string Message(Fault fault) =>
        fault.Tokens is { } tokens
            ? FormattableString.Invariant($"prompt is too long: {tokens.Used} tokens > {tokens.Most} maximum")
            : fault.Message;

    private static string TypeOf(FaultKind kind) =>
        kind switch
        {
            FaultKind.Unauthorized => "authentication_error",
            FaultKind.Forbidden => "permission_error",
            FaultKind.NotFound => "not_found_error",
            FaultKind.Timeout => "timeout_error",
            FaultKind.TooLarge => "request_too_large",
            FaultKind.Busy => "overloaded_error",
            FaultKind.Internal => "api_error",
            _ => "invalid_request_error",
        };
}

/// <summary>What an error of Messages says.</summary>
internal sealed record MessageFaultDetail(string Type, string Message);
