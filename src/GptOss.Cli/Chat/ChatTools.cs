using System.ComponentModel;
using System.Globalization;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Chat;

/// <summary>
/// The functions that <c>gptoss chat</c> offers to the model: harmless ones, which read and change nothing.
/// </summary>
internal static class ChatTools
{
    public static IReadOnlyList<AIFunction> All { get; } =
    [
        AIFunctionFactory.Create(Time, "get_current_time"),
        AIFunctionFactory.Create(Calculator.Evaluate, "calculate", "Calculates an expression such as (2 + 3) * 4 ^ 2."),
    ];

    /// <exception cref="ArgumentException">No time zone has the city's name.</exception>
    [Description("Gets the current time in a city.")]
    private static string Time(string city)
    {
        // The zones of the IANA database are named after their largest city, such as America/Sao_Paulo.
        string suffix = "/" + city.Trim().Replace(' ', '_');
        TimeZoneInfo zone = TimeZoneInfo
            .GetSystemTimeZones()
            .FirstOrDefault(zone => IanaName(zone).EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            ?? throw new ArgumentException($"No time zone is named after {city}. Try the largest city of its zone.");
        return TimeZoneInfo
            .ConvertTime(DateTimeOffset.UtcNow, zone)
            .ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
    }

    private static string IanaName(TimeZoneInfo zone) =>
        zone.HasIanaId ? zone.Id
        : TimeZoneInfo.TryConvertWindowsIdToIanaId(zone.Id, out string? name) ? name
        : "";
}
