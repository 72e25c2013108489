using System.Collections.Frozen;

namespace GptOss.Constraints.Regular;

/// <summary>
/// The languages of JSON Schema's formats, and of two patterns that .NET writes. Each is a part of the true format that
/// .NET's own types read; a format that is not here is an annotation.
/// </summary>
/// <remarks>
/// Sources: RFC 3339 for dates, times and durations; RFC 4122, 4291, 5321, 1123 and 3986 for identifiers, addresses and
/// URIs; RFC 4648 for base64; RFC 6901 and draft-bhutton-relative-json-pointer for pointers.
/// </remarks>
internal static class Formats
{
    private const string LeapYear = @"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)",
        Days =
            @$"(?:\d{{4}}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
            + @$"|02-(?:0[1-9]|1\d|2[0-8]))|{LeapYear}-02-29)",
        Clock = @"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,7})?";

    private const string Seconds = @"\d{1,9}S",
        Minutes = @$"\d{{1,9}}M(?:{Seconds})?",
        Hours = @$"\d{{1,9}}H(?:{Minutes})?",
        Times = $"T(?:{Hours}|{Minutes}|{Seconds})",
        Months = @"\d{1,9}M(?:\d{1,9}D)?",
        Years = @$"\d{{1,9}}Y(?:{Months})?",
        Duration = @$"P(?:(?:\d{{1,9}}D|{Months}|{Years})(?:{Times})?|{Times}|\d{{1,9}}W)";

    private const string Octet = @"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)",
        Ipv4 = @$"{Octet}(?:\.{Octet}){{3}}",
        H = "[0-9A-Fa-f]{1,4}",
        Ipv6 =
            $"(?:{H}:){{7}}{H}|(?:{H}:){{1,7}}:|(?:{H}:){{1,6}}:{H}|(?:{H}:){{1,5}}(?::{H}){{1,2}}"
            + $"|(?:{H}:){{1,4}}(?::{H}){{1,3}}|(?:{H}:){{1,3}}(?::{H}){{1,4}}|(?:{H}:){{1,2}}(?::{H}){{1,5}}"
            + $"|{H}:(?::{H}){{1,6}}|:(?:(?::{H}){{1,7}}|:)";

    // Labels of up to 60 characters; those of host names and mail have no two hyphens side by side.
    private const string Short = @"[^.]{1,60}",
        Label = "[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*",
        Hostname = @$"(?={Short}(?:\.{Short}){{0,3}}$){Label}(?:\.{Label})*",
        Atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+",
        Email =
            @$"(?=[^@]{{1,64}}@{Short}(?:\.{Short}){{0,2}}\.[A-Za-z]{{2,20}}$)"
            + @$"{Atom}(?:\.{Atom})*@{Label}(?:\.{Label})*",
        UriLabel = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,58}[A-Za-z0-9])?",
        Domain = @$"(?:{UriLabel}\.)*[A-Za-z](?:[A-Za-z0-9-]{{0,58}}[A-Za-z0-9])?";

    private const string PathCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})",
        RelativeCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})",
        Path = $"(?:/{PathCharacter}*)*",
        Behind = @$"(?:\?(?:{PathCharacter}|[/?])*)?(?:#(?:{PathCharacter}|[/?])*)?",
        Port = @"(?::(?:[0-9]{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?",
        Authority = $"(?:{Domain}|{Ipv4}){Port}",
        Web = $"https?://{Authority}{Path}{Behind}",
        Uri =
            "(?!(?:file|mailto|tel|urn|tag|did|doi|isbn|data|news|uuid):)[a-z][a-z0-9+-]{1,15}"
            + $"://{Authority}{Path}{Behind}"
            + $"|file://(?:/(?:[A-Za-z]:/)?|{Domain}/)(?:{RelativeCharacter}+(?:/{RelativeCharacter}+)*/?)?"
            + @$"|mailto:[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@{Domain}"
            + @"|tel:\+?\d(?:-?\d){0,19}"
            + @$"|urn:[a-z0-9]{{2,31}}:{RelativeCharacter}(?:{PathCharacter}|/)*"
            + $"|(?:tag|did|doi|isbn):{RelativeCharacter}(?:{PathCharacter}|/)*"
            + $"|data:(?:[a-z]+/[a-z0-9.+-]+)?(?:;base64)?,{PathCharacter}*",
        UriReference = $"{Web}|/(?:{PathCharacter}+{Path})?{Behind}|{RelativeCharacter}+{Path}{Behind}|{Behind}",
        Pointer = "(?:/(?:[^~/]|~[01])*)*";

    private const string Base64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?";

    private static readonly FrozenDictionary<string, Lazy<CodePointDfa>> _formats = new Dictionary<string, string>
    {
        ["date"] = $"(?!0000){Days}",
        ["date-time"] = $"(?!000[01]|9999){Days}T{Clock}(?:Z|[+-](?:(?:0\\d|1[0-3]):[0-5]\\d|14:00))",
        ["time"] = Clock,
        ["duration"] = Duration,
        ["uuid"] = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
        ["ipv4"] = Ipv4,
        ["ipv6"] = Ipv6,
        ["email"] = Email,
        ["hostname"] = Hostname,
        ["uri"] = Uri,
        ["uri-reference"] = UriReference,
        ["json-pointer"] = Pointer,
        ["relative-json-pointer"] = $"(?:0|[1-9][0-9]{{0,8}})(?:#|{Pointer})",
        ["byte"] = Base64,
    }.ToFrozenDictionary(format => format.Key, format => Compiled(format.Value));

    // The patterns that JsonSchemaExporter writes for TimeSpan and Version let in what these types do not read.
    private static readonly FrozenDictionary<string, Lazy<CodePointDfa>> _narrowed = new Dictionary<string, string>
    {
        [@"^-?(\d+\.)?\d{2}:\d{2}:\d{2}(\.\d{1,7})?$"] =
            @$"-?(?:(?:0|[1-9]\d{{0,6}}|10[0-5]\d{{5}}|106[0-6]\d{{4}})\.)?{Clock}",
        [@"^\d+(\.\d+){1,3}$"] = @"\d{1,9}(?:\.\d{1,9}){1,3}",
    }.ToFrozenDictionary(pattern => pattern.Key, pattern => Compiled(pattern.Value));

    /// <summary>The language of a format, compiled when first asked for; null where it is an annotation.</summary>
    public static CodePointDfa? Find(string name) => _formats.TryGetValue(name, out var format) ? format.Value : null;

    /// <summary>
    /// What .NET reads of a pattern that .NET writes: the language of TimeSpan or Version; null for any other pattern.
    /// </summary>
    public static CodePointDfa? FindNarrowed(string pattern) =>
        _narrowed.TryGetValue(pattern, out var narrowed) ? narrowed.Value : null;

    private static Lazy<CodePointDfa> Compiled(string pattern) => new(() => Patterns.Whole(pattern, new()));
}
