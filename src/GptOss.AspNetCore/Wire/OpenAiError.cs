using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Wire;

/// <summary>The body of an error in OpenAI's API.</summary>
internal sealed record OpenAiError(OpenAiErrorDetail Error)
{
    /// <summary>The body that tells a fault.</summary>
    public static OpenAiError Of(Fault fault) =>
        new(
            new OpenAiErrorDetail(
                fault.Message,
                fault.Kind is FaultKind.Busy or FaultKind.Internal ? "server_error" : "invalid_request_error",
                fault.Param,
                fault.Code
            )
        );
}

/// <summary>What an error in OpenAI's API says.</summary>
internal sealed record OpenAiErrorDetail(string Message, string Type, string? Param, string? Code);
