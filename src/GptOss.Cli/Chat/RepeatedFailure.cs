using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Chat;

/// <summary>
/// Calls functions for one answer, and ends it where the model makes a call again that failed in the same way before.
/// </summary>
internal sealed class RepeatedFailure
{
    private readonly HashSet<string> _failed = [];

    /// <summary>The function whose second equal failure ended the answer; null if none did.</summary>
    public string? Stopped { get; private set; }

    public async ValueTask<object?> InvokeAsync(FunctionInvocationContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await context.Function.InvokeAsync(context.Arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            if (_failed.Add($"{context.Function.Name} {Arguments(context)} {error.Message}"))
                throw;
            Stopped = context.Function.Name;
            context.Terminate = true;
            return $"Error: {error.Message}";
        }
    }

    private static string Arguments(FunctionInvocationContext context) =>
        JsonSerializer.Serialize(
            new Dictionary<string, object?>(context.Arguments),
            AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>))
        );
}
