using System.ComponentModel;
using System.Globalization;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Chat;

/// <summary>The functions that <c>gptoss chat</c> offers to the model: harmless ones, which read and change nothing.</summary>
internal static class ChatTools
{
    public static IReadOnlyList<AIFunction> All { get; } =
    [
        AIFunctionFactory.Create(Time, "get_current_time"),
        AIFunctionFactory.Create(Calculator.Evaluate, "calculate", "Calculates an expression such as (2 + 3) * 4 ^ 2."),
    ];

    [Description("Tells the date and time in a time zone.")]
    private static string Time([Description("such as Europe/Lisbon")] string zone)
    {
        TimeZoneInfo found = TimeZoneInfo.FindSystemTimeZoneById(zone.Trim());
        return TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, found).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
    }
}
