using System.Text.Json.Nodes;

namespace GptOss.Tests.Constraints.Schemas;

/// <summary>Schemas that are small or legal, and grow beyond all measure where they are worked out naively.</summary>
internal static class SchemaBombs
{
    /// <summary>By name: the schema's text.</summary>
    public static Dictionary<string, Func<string>> All { get; } =
        new(StringComparer.Ordinal)
        {
            ["alternatives times alternatives"] = () =>
                AllOf(20, i => Node(("anyOf", List(4, j => Properties(($"p{i}_{j}", "{}")))))),
            ["conditions times conditions"] = () =>
                AllOf(40, i =>
                    Node(("if", Properties(($"p{i}", "{\"const\":1}"))), ("then", Properties(($"q{i}", "{}"))))
                ),
            ["dependencies times dependencies"] = () =>
                $"{{\"dependentSchemas\":{{{Join(30, i => $"\"d{i}\":{Properties(($"p{i}", "{\"type\":\"null\"}"))}")}}}}}",
            ["one of many that overlap"] = () =>
                $"{{\"oneOf\":[{Join(60, i => Properties(($"p{i}", "{\"type\":\"integer\"}"), ($"q{i}", "{\"type\":\"null\"}")))}]}}",
            ["one of too many"] = () => $"{{\"oneOf\":[{Join(3_000, i => $"{{\"minimum\":{i}}}")}]}}",
            ["one of many objects"] = () => $"{{\"oneOf\":[{Join(900, i => Tagged(i))}]}}",
            ["a long list of values"] = () => $"{{\"enum\":[{Join(10_001, i => $"{i}")}]}}",
            ["many lists of values"] = () =>
                $"{{\"properties\":{{{Join(6, i => $"\"p{i}\":{{\"enum\":[{Join(9_000, j => $"{j}")}]}}")}}}}}",
            ["large values"] = () => $"{{\"enum\":[{Join(20, i => $"\"{i}{new string('x', 60_000)}\"")}]}}",
            ["a long chain of references"] = () => Chain(20_000, i => $"{{\"$ref\":\"#/$defs/d{i}\"}}"),
            ["a long chain of conjunctions"] = () =>
                Chain(5_000, i => $"{{\"allOf\":[{{\"$ref\":\"#/$defs/d{i}\"}}],\"minLength\":1}}"),
            ["a long chain beside a value"] = () =>
                Chain(5_000, i => $"{{\"allOf\":[{{\"$ref\":\"#/$defs/d{i}\"}}],\"minLength\":1}}")[..^1]
                + ",\"const\":\"a\"}",
            ["doubled conjunctions"] = () =>
                Chain(60, i => $"{{\"allOf\":[{{\"$ref\":\"#/$defs/d{i}\"}},{{\"$ref\":\"#/$defs/d{i}\"}}]}}"),
            ["doubled alternatives"] = () =>
                Chain(60, i => $"{{\"anyOf\":[{{\"$ref\":\"#/$defs/d{i}\"}},{{\"$ref\":\"#/$defs/d{i}\"}}]}}"),
            ["doubled opposites"] = () =>
                Chain(60, i =>
                    $"{{\"not\":{{\"allOf\":[{{\"$ref\":\"#/$defs/d{i}\"}},{{\"$ref\":\"#/$defs/d{i}\"}}]}}}}"
                ),
            ["doubled exclusions"] = () =>
                Chain(60, i => $"{{\"oneOf\":[{{\"$ref\":\"#/$defs/d{i}\"}},{{\"$ref\":\"#/$defs/d{i}\"}}]}}"),
            ["exclusions beside a value"] = () =>
                Chain(60, i => $"{{\"oneOf\":[{{\"$ref\":\"#/$defs/d{i}\"}},{{\"$ref\":\"#/$defs/d{i}\"}}]}}")[..^1]
                + ",\"const\":1}",
            ["unevaluated over alternatives"] = () =>
                $"{{\"unevaluatedProperties\":false,\"allOf\":[{Join(6, i => $"{{\"anyOf\":[{Join(5, j => Properties(($"p{i}_{j}", "{}")))}]}}")}]}}",
            ["itself alone"] = () => "{\"$ref\":\"#\"}",
            ["itself among alternatives"] = () => "{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}",
            ["its own opposite"] = () => "{\"not\":{\"$ref\":\"#\"}}",
            ["itself needed for ever"] = () => "{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}",
            ["deep nesting"] = () => Nested(1_000, "{\"items\":", "{}"),
            ["deep values"] = () => "{\"const\":" + new string('[', 500) + new string(']', 500) + "}",
            ["deep objects in the answer"] = () =>
                Chain(100, i => $"{{\"properties\":{{\"a\":{{\"$ref\":\"#/$defs/d{i}\"}}}},\"required\":[\"a\"]}}"),
            ["many required names"] = () => $"{{\"required\":[{Join(10_000, i => $"\"n{i}\"")}]}}",
            ["many properties"] = () => Empty(2_001),
            ["many properties in all"] = () => $"{{\"properties\":{{{Join(15, i => $"\"p{i}\":{Empty(1_900)}")}}}}}",
            ["as many properties as may be, in alternatives"] = () =>
                Empty(1_900)[..^1] + $",\"anyOf\":[{Join(900, i => $"{{\"required\":[\"n{i}\"]}}")}]}}",
            ["many patterns of names"] = () =>
                $"{{\"patternProperties\":{{{Join(30, i => $"\"{(char)('a' + (i % 26))}{i}\":{{\"minimum\":{i}}}")}}}}}",
            ["a pattern of many states"] = () => Pattern("(a|b)*a(a|b){22}"),
            ["a pattern of many positions"] = () => Pattern("^(.*a){40}$"),
            ["nested counts"] = () => Pattern("^((a{1,99}){1,99}){1,99}$"),
            ["patterns together"] = () => AllOf(12, i => Pattern($"{(char)('a' + i)}.{{{i + 3}}}x")),
            ["deep groups"] = () => Pattern(new string('(', 2_000) + "a" + new string(')', 2_000)),
            ["a long pattern"] = () => Pattern(new string('a', 5_000)),
            ["a length beyond reach"] = () => "{\"type\":\"string\",\"minLength\":1000000000}",
            ["a pattern of a long length"] = () => Pattern("^a{1000000}$"),
            ["lengths of names"] = () => "{\"propertyNames\":{\"minLength\":500000},\"minProperties\":3}",
            ["a number of many digits"] = () => $"{{\"minimum\":{new string('9', 5_000)}}}",
            ["a number with a large exponent"] = () => "{\"maximum\":1e999999999999}",
            ["a small divisor"] = () => "{\"multipleOf\":1e-300}",
            ["a prime divisor"] = () => "{\"type\":\"integer\",\"multipleOf\":982451653}",
            ["divisors together"] = () =>
                AllOf(12, i =>
                    $"{{\"type\":\"integer\",\"multipleOf\":{new[] { 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47 }[i]}}}"
                ),
            ["sets of schemas"] = () => Subsets(26),
            ["a long tuple"] = () => $"{{\"prefixItems\":[{Join(30_000, _ => "{}")}]}}",
            ["many counts"] = () => AllOf(20, i => $"{{\"contains\":{{\"const\":{i}}}}}"),
            ["counts to the top"] = () => "{\"contains\":{\"const\":1},\"minContains\":900000,\"maxContains\":950000}",
            ["many excluded values"] = () =>
                $"{{\"type\":\"number\",\"not\":{{\"enum\":[{Join(2_000, i => $"{i}.5")}]}}}}",
            ["many excluded texts"] = () =>
                $"{{\"type\":\"string\",\"not\":{{\"enum\":[{Join(9_000, i => $"\"text {i}\"")}]}}}}",
            ["distinct items beyond count"] = () =>
                "{\"uniqueItems\":true,\"items\":{\"type\":\"string\"},\"minItems\":900000}",
            ["names that require the next one"] = () => Dependent(2_000, i => i < 1_999 ? [i + 1] : []),
            ["names that require the one before"] = () => Dependent(2_000, i => i > 0 ? [i - 1] : []),
            ["names that require the next one, counted"] = () =>
                Dependent(2_000, i => i < 1_999 ? [i + 1] : [])[..^1] + ",\"minProperties\":5,\"maxProperties\":1999}",
            ["names that require ten others"] = () =>
                Dependent(1_600, i => [.. Enumerable.Range(i + 1, 10).Where(then => then < 1_600)])[..^1]
                + ",\"minProperties\":1000}",
            ["names in a circle"] = () => Dependent(2_000, i => [(i + 1) % 2_000]),
            ["names in a circle, in alternatives"] = () =>
                Dependent(1_900, i => [(i + 1) % 1_900])[..^1]
                + $",\"anyOf\":[{Join(400, i => $"{{\"required\":[\"n{i}\"]}}")}]}}",
            ["many distinct texts"] = () =>
                $"{{\"uniqueItems\":true,\"minItems\":9999,\"items\":{{\"enum\":[{Join(10_000, i => $"\"value {i * 7919 % 10_000}\"")}]}}}}",
            ["long distinct texts"] = () =>
                $"{{\"uniqueItems\":true,\"minItems\":19,\"items\":{{\"enum\":[{Join(20, i => $"\"{new string('x', 50_000)}{i}\"")}]}}}}",
            ["distinct texts of two thousand"] = () =>
                $"{{\"uniqueItems\":true,\"minItems\":500,\"items\":{{\"enum\":[{Join(500, i => $"\"{new string('x', 1_900)}{i}\"")}]}}}}",
            ["distinct numbers within bounds"] = () =>
                "{\"uniqueItems\":true,\"minItems\":90000,\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":99999}}",
            ["distinct texts of a pattern"] = () =>
                "{\"uniqueItems\":true,\"minItems\":50000,\"items\":{\"type\":\"string\",\"pattern\":\"^[a-j]{0,4}[k-z]{0,1}$\"}}",
            ["distinct texts behind a prefix without end"] = () =>
                "{\"uniqueItems\":true,\"items\":{\"type\":\"string\",\"pattern\":\"^(x.*|y[a-z]{3}[0-9])$\",\"maxLength\":1900}}",
            ["a count among many items"] = () =>
                "{\"contains\":{\"const\":1},\"minContains\":499,\"maxContains\":499,\"maxItems\":1990}",
            ["a count of many places"] = () =>
                $"{{\"prefixItems\":[{Join(9_000, i => i % 2 == 0 ? "{}" : "{\"const\":2}")}],\"contains\":{{\"const\":1}},\"minContains\":30,\"maxContains\":4400}}",
            ["five counts"] = () =>
                AllOf(5, i => $"{{\"contains\":{{\"multipleOf\":{i + 2}}},\"minContains\":{20 * (i + 1)}}}"),
            ["lists of values against each other"] = () =>
                AllOf(4, i => $"{{\"enum\":[{Join(10_000, j => $"\"text {(i % 2 == 0 ? j : 9_999 - j)}\"")}]}}"),
            ["a list of values without another one"] = () =>
                $"{{\"enum\":[{Join(10_000, i => $"{i}")}],\"not\":{{\"enum\":[{Join(9_999, i => $"{i + 1}")}]}}}}",
            ["objects against required names"] = () =>
                $"{{\"enum\":[{Join(20, i => $"{{{Join(1_900, j => $"\"n{j}\":{i}")}}}")}],\"required\":[{Join(1_900, i => $"\"n{i}\"")}]}}",
            ["a long text against many patterns"] = () =>
                $"{{\"const\":\"{new string('x', 500_000)}\",\"allOf\":[{Join(1_000, i => $"{{\"pattern\":\"^x{{{i % 50},}}\"}}")}]}}",
            ["many patterns at once"] = () => $"{{\"anyOf\":[{Join(990, i => Pattern($"^[a-z]*k{i}[0-9]*$"))}]}}",
            ["many patterns of the same beginning"] = () =>
                $"{{\"anyOf\":[{Join(990, i => Pattern($"^.*x.{{{i % 99}}}y{i}$"))}]}}",
            ["many lengths at once"] = () =>
                $"{{\"anyOf\":[{Join(990, i => $"{{\"type\":\"string\",\"minLength\":{i},\"maxLength\":{i + 5}}}")}]}}",
            ["patterns of many lengths"] = () =>
                $"{{\"anyOf\":[{Join(400, i => $"{{\"pattern\":\"^(ab|cde)*$\",\"minLength\":{i + 900_000},\"maxLength\":{i + 900_003}}}")}]}}",
            ["names of seven patterns"] = () =>
                $"{{\"minProperties\":50,\"patternProperties\":{{{Join(7, i => $"\"{(char)('a' + i)}.*{(char)('b' + i)}\":{{\"minimum\":{i}}}")}}}}}",
            ["a name of a megabyte"] = () =>
                $"{{\"patternProperties\":{{\"^x\":{{}}}},\"properties\":{{\"{new string('y', 1_000_000)}\":{{}},\"b\":{{}}}}}}",
            ["long names"] = () =>
                $"{{\"additionalProperties\":true,\"properties\":{{{Join(1_900, i => $"\"{i}{new string('y', 1_900)}\":{{}}")}}}}}",
            ["names from a long list"] = () =>
                $"{{\"minProperties\":9000,\"propertyNames\":{{\"enum\":[{Join(9_999, i => $"\"name {i}\"")}]}}}}",
            ["the same lists in lists"] = () => $"{{\"anyOf\":[{Join(900, _ => "{\"items\":{\"$ref\":\"#\"}}")}]}}",
            ["lists of some length in lists"] = () =>
                $"{{\"anyOf\":[{Join(900, i => $"{{\"type\":\"array\",\"minItems\":{i % 30},\"items\":{{\"$ref\":\"#\"}}}}")}]}}",
            ["the same objects in objects"] = () =>
                $"{{\"anyOf\":[{Join(900, i => $"{{\"type\":\"object\",\"minProperties\":{i % 3},\"additionalProperties\":{{\"$ref\":\"#\"}}}}")}]}}",
            ["objects that overlap in objects"] = () =>
                $"{{\"anyOf\":[{Join(300, i => $"{{\"type\":\"object\",\"properties\":{{\"a\":{{\"$ref\":\"#\"}},\"b{i}\":{{}}}}}}")}]}}",
            ["a list of many objects"] = () => $"{{\"enum\":[{Join(10_000, i => $"{{\"a\":{i},\"b\":[{i}]}}")}]}}",
            ["a long list as a value"] = () => $"{{\"const\":[{Join(300_000, i => $"{i % 10}")}]}}",
            ["many demands"] = () => AllOf(5_000, i => $"{{\"required\":[\"n{i % 1_999}\"]}}"),
            ["conditions in conditions"] = () =>
                string.Concat(
                    Enumerable
                        .Range(0, 30)
                        .Select(i => $"{{\"if\":{{\"minimum\":{i}}},\"then\":{{\"multipleOf\":{i + 1}}},\"else\":")
                )
                + "{}"
                + new string('}', 30),
            ["lengths without some"] = () =>
                "{\"type\":\"string\",\"pattern\":\"^((ab){7}|(cde){11}|f{13}|g{17})*$\",\"minLength\":999000,\"maxLength\":999999}",
            ["unevaluated over counts"] = () =>
                $"{{\"unevaluatedItems\":false,\"allOf\":[{Join(5, i => $"{{\"anyOf\":[{Join(5, j => $"{{\"contains\":{{\"const\":{i * 5 + j}}}}}")}]}}")}]}}",
            ["numbers of many bounds"] = () =>
                $"{{\"anyOf\":[{Join(900, i => $"{{\"type\":\"number\",\"minimum\":{i}.{i}1,\"maximum\":{i * 97}.{i}99}}")}]}}",
            ["divisors of many numbers"] = () =>
                $"{{\"anyOf\":[{Join(900, i => $"{{\"type\":\"integer\",\"multipleOf\":{i + 1_001}}}")}]}}",
            ["long lists in lists"] = () => Nested(31, "{\"minItems\":1000000,\"items\":", "{}"),
            ["denials of denials"] = () => Nested(60, "{\"not\":", "{\"pattern\":\"a\"}"),
            ["dependencies of all names"] = () =>
                $"{{\"dependentSchemas\":{{{Join(900, i => $"\"d{i}\":{Properties(($"p{i}", "{}"))}")}}}}}",
            ["one of many patterns"] = () => $"{{\"oneOf\":[{Join(200, i => Pattern($"a.*{i}"))}]}}",
            ["alternatives of alternatives"] = () =>
                $"{{\"anyOf\":[{Join(30, i => $"{{\"properties\":{{\"a\":{{\"anyOf\":[{Join(30, j => $"{{\"properties\":{{\"b{j}\":{{\"const\":{i}}}}}}}")}]}}}}}}")}]}}",
            ["lists of values under many names"] = () =>
                $"{{\"properties\":{{{Join(5, i => $"\"p{i}\":{{\"uniqueItems\":true,\"minItems\":9000,\"items\":{{\"enum\":[{Join(9_900, j => $"\"v{j * 31 % 9_900}\"")}]}}}}")}}}}}",
            ["names of a pattern that are required"] = () =>
                $"{{\"propertyNames\":{{\"pattern\":\"^n[0-9]{{1,4}}$\"}},\"patternProperties\":{{\"1\":{{\"minimum\":1}},\"2\":{{\"minimum\":2}},\"3\":{{\"minimum\":3}}}},\"required\":[{Join(1_990, i => $"\"n{i}\"")}]}}",
            ["a name more than there are"] = () =>
                "{\"propertyNames\":{\"pattern\":\"^[a-z]{1,3}$\"},\"minProperties\":18279}",
            ["as many names as there are"] = () =>
                "{\"propertyNames\":{\"pattern\":\"^[a-z]{1,3}$\"},\"minProperties\":18278}",
            ["the finest divisor"] = () =>
                "{\"type\":\"number\",\"multipleOf\":1e-28,\"minimum\":-9999999999999999999999999999,\"maximum\":9999999999999999999999999999}",
            ["bounds of many digits"] = () =>
                $"{{\"anyOf\":[{Join(100, i => $"{{\"type\":\"number\",\"exclusiveMinimum\":{new string('1', 400)}.{i}1,\"maximum\":{new string('7', 420 + i)}}}")}]}}",
            ["many lists of demands"] = () =>
                $"{{\"anyOf\":[{Join(900, i => $"{{\"required\":[\"a{i}\",\"b{i}\"],\"minProperties\":3}}")}]}}",
            ["excluded lists of values"] = () =>
                AllOf(40, i => $"{{\"not\":{{\"enum\":[{Join(1_200, j => $"\"v{i}_{j}\"")}]}}}}"),
            ["a prefix of many alternatives"] = () =>
                $"{{\"prefixItems\":[{Join(900, i => $"{{\"anyOf\":[{Join(20, j => $"{{\"const\":{i * j}}}")}]}}")}],\"contains\":{{\"const\":7}},\"minItems\":900}}",
            ["many patterns of many names"] = () =>
                $"{{\"patternProperties\":{{\"a\":{{}},\"b\":{{\"minimum\":1}}}},\"properties\":{{{Join(1_900, i => $"\"{i}a\":{{\"maximum\":{i}}}")}}}}}",
            ["objects in a circle"] = () =>
                $"{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{Join(2_000, i => $"\"d{i}\":{Properties(("a", Node(("$ref", $"\"#/$defs/d{(i + 1) % 2_000}\""))), ("b", Node(("$ref", $"\"#/$defs/d{i * 7 % 2_000}\""))))}")}}}}}",
            ["formats together"] = () =>
                $"{{\"anyOf\":[{Join(600, i => $"{{\"format\":\"{new[] { "date-time", "uri", "email", "ipv6", "hostname", "uuid" }[i % 6]}\",\"maxLength\":{20 + i}}}")}]}}",
            ["formats against patterns"] = () =>
                AllOf(8, i =>
                    $"{{\"format\":\"{new[] { "uri", "uri-reference", "email", "hostname" }[i % 4]}\",\"pattern\":\"{(char)('a' + i)}.*{(char)('b' + i)}\"}}"
                ),
            ["a long text"] = () => $"{{\"title\":\"{new string('x', 5 << 20)}\"}}",
            ["many anchors"] = () =>
                $"{{\"$ref\":\"#z\",\"$defs\":{{{Join(50_000, i => $"\"d{i}\":{{\"$anchor\":\"a{i}\"}}")}}}}}",
            ["many schemas"] = () => $"{{\"anyOf\":[{Join(110_000, _ => "{}")}]}}",
        };

    private static string Join(int count, Func<int, string> part) =>
        string.Join(',', Enumerable.Range(0, count).Select(part));

    private static string List(int count, Func<int, string> part) => $"[{Join(count, part)}]";

    private static string Node(params (string Name, string Value)[] members) =>
        $"{{{string.Join(',', members.Select(member => $"\"{member.Name}\":{member.Value}"))}}}";

    private static string Properties(params (string Name, string Schema)[] properties) =>
        Node(("properties", Node(properties)));

    // An object of any values, n0 and so on.
    private static string Empty(int count) => $"{{\"properties\":{{{Join(count, i => $"\"n{i}\":{{}}")}}}}}";

    // Names of which each requires some others.
    private static string Dependent(int count, Func<int, int[]> then) =>
        Empty(count)[..^1]
        + $",\"dependentRequired\":{{{Join(count, i => $"\"n{i}\":[{string.Join(',', then(i).Select(j => $"\"n{j}\""))}]")}}}}}";

    private static string AllOf(int count, Func<int, string> part) => Node(("allOf", List(count, part)));

    private static string Pattern(string pattern) => new JsonObject { ["pattern"] = pattern }.ToJsonString();

    private static string Tagged(int tag) =>
        $"{{\"type\":\"object\",\"properties\":{{\"kind\":{{\"const\":{tag}}}}},\"required\":[\"kind\"]}}";

    private static string Nested(int depth, string open, string inner) =>
        string.Concat(Enumerable.Repeat(open, depth)) + inner + new string('}', depth);

    // The definition n leads to n + 1, and the last one is a string.
    private static string Chain(int count, Func<int, string> link) =>
        $"{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{Join(count, i => $"\"d{i}\":{link(i + 1)}")},\"d{count}\":{{\"type\":\"string\"}}}}}}";

    // As automata of n positions become deterministic: a property holds one of 2 to the n sets of schemas.
    private static string Subsets(int count)
    {
        string Ref(int i) => Node(("$ref", $"\"#/$defs/s{i % count}\""));
        string State(int i) =>
            Properties(("a", Node(("allOf", $"[{Ref(i + 1)}{(i == 0 ? "," + Ref(0) : "")}]"))), ("b", Ref(i + 1)));
        return Node(("$ref", "\"#/$defs/s0\""), ("$defs", $"{{{Join(count, i => $"\"s{i}\":{State(i)}")}}}"));
    }
}
