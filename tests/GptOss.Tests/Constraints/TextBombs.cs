namespace GptOss.Tests.Constraints;

/// <summary>
/// Patterns, grammars and choices that are small or legal, and grow where they are worked out naively.
/// </summary>
internal static class TextBombs
{
    /// <summary>By name: what is compiled.</summary>
    public static Dictionary<string, Func<GptOssGrammar>> All { get; } =
        new(StringComparer.Ordinal)
        {
            ["pattern: optional letters before letters"] = Regex("(a?){1000}a{1000}"),
            ["pattern: stars of stars"] = Regex("((((a*)*)*)*)*b"),
            ["pattern: a far letter back"] = Regex("(a|b)*a(a|b){13}"),
            ["pattern: a letter too far back"] = Regex("(a|b)*a(a|b){30}"),
            ["pattern: letters of all scripts, counted"] = Regex(@"(\p{L}|\p{N}| ){1,1500}"),
            ["pattern: letters of all scripts, before a mark"] = Regex(@"(\p{L}|\d)*\p{Lu}.{11}"),
            ["pattern: everything, counted"] = Regex(@"[\s\S]{19000}"),
            ["pattern: everything, counted too far"] = Regex(@"[\s\S]{190000}"),
            ["pattern: counts of counts"] = Regex("(.{0,90}){0,90}x"),
            ["pattern: words between anything"] = Regex(".*one.*two.*three.*four.*five.*six.*seven.*"),
            ["pattern: anything before counted anything"] = Regex("(.*,){40}end"),
            ["pattern: many looks ahead"] = Regex(
                "^" + string.Concat(Enumerable.Range(0, 12).Select(i => $"(?=.*{(char)('a' + i)})")) + ".{5,50}"
            ),
            ["pattern: many denials ahead"] = Regex(
                "^" + string.Concat(Enumerable.Range(0, 30).Select(i => $"(?!.*{(char)('a' + i % 26)}{i})")) + ".*"
            ),
            ["pattern: many classes"] = Regex(
                string.Concat(
                    Enumerable.Range(0, 60).Select(i => $"[\\u{{{0x100 + 97 * i:X}}}-\\u{{{0x9000 + 89 * i:X}}}]?")
                )
            ),
            ["pattern: the longest"] = Regex(string.Concat(Enumerable.Repeat("(a|bc)*", 585))),
            ["pattern: nothing many times"] = Regex("(()*){500}x"),
            ["pattern: repetitions side by side"] = Regex("(x+x+)+y|(a+)+b|(a|aa)+c|(a|a?)+d"),
            ["pattern: a repetition beyond all"] = Regex("a{999999999}"),
            ["pattern: a repetition of a repetition"] = Regex("((a{1,40}){1,40}){1,40}b?"),
            ["pattern: deep groups that may be missing"] = Regex(
                new string('(', 190) + "a" + string.Concat(Enumerable.Repeat(")?", 190))
            ),
            ["pattern: too deep groups"] = Regex(new string('(', 2_000) + new string(')', 2_000)),
            ["pattern: two thousand alternatives"] = Regex(
                string.Join('|', Enumerable.Range(0, 1_300).Select(i => $"{i * 7 % 1_300:x}"))
            ),
            ["pattern: alternatives before alternatives"] = Regex(
                string.Concat(Enumerable.Range(0, 100).Select(i => $"(a{i}|b{i}|a{i}b|)"))
            ),
            ["pattern: everything but one, in a row"] = Regex(
                string.Concat(Enumerable.Range(0, 500).Select(i => $"[^{(char)(0x3041 + i % 80)}]*"))
            ),
            ["pattern: letters after letters"] = Regex(string.Concat(Enumerable.Repeat(@"\p{L}*\d", 60))),
            ["pattern: a window of letters"] = Regex(@".*\p{Lu}\p{Ll}{3}\d{3}.{6}$"),
            ["pattern: looks ahead at lengths"] = Regex(
                "^(?=(..)*$)(?=(...)*$)(?=(.{5})*$)(?=(.{7})*$)(?=(.{11})*$)(?=(.{13})*$).*$"
            ),
            ["grammar: a long text of anything"] = Gbnf("root ::= .{15000} \"x\""),
            ["grammar: a long text of anything before a rule"] = Gbnf("root ::= .{15000} x\nx ::= \"x\" root?"),
            ["grammar: anything in a rule, many times"] = Gbnf("root ::= any{15000} \"x\"\nany ::= ."),
            ["grammar: trees of one letter"] = Gbnf("root ::= \"a\" root root | \"a\""),
            ["grammar: trees of any letter"] = Gbnf("root ::= any root root | any\nany ::= [^\\n] | any2\nany2 ::= ."),
            ["grammar: anything before a tail"] = Gbnf(
                "root ::= any* k tail\nany ::= .\nk ::= any any any\ntail ::= k* \"x\""
            ),
            ["grammar: many that begin alike"] = Gbnf(
                $"root ::= {string.Join(" | ", Enumerable.Range(0, 1_000).Select(i => $"any* \"k{i}\" tail"))}\nany ::= .\ntail ::= [a-z]* root?"
            ),
            ["grammar: many rules that begin alike"] = Gbnf(
                $"root ::= {string.Join(" | ", Enumerable.Range(0, 1_000).Select(i => $"r{i}"))}\n"
                    + string.Concat(Enumerable.Range(0, 1_000).Select(i => $"r{i} ::= any* \"k{i}\" root?\n"))
                    + "any ::= ."
            ),
            ["grammar: ways to part a text"] = Gbnf("root ::= (w w w | w w | w)*\nw ::= [a-z]+ w2?\nw2 ::= [a-z]* "),
            ["grammar: many ways to part a text"] = Gbnf(
                "root ::= s*\ns ::= a | b | c\na ::= [a-z]+ b? \nb ::= [a-z]+ c?\nc ::= [a-z]+ a?"
            ),
            ["grammar: doubled rules"] = Gbnf(
                string.Concat(
                    Enumerable.Range(0, 60).Select(i => $"{(i == 0 ? "root" : $"r{i}")} ::= r{i + 1} r{i + 1}\n")
                ) + "r60 ::= \"a\""
            ),
            ["grammar: doubled rules that may be empty"] = Gbnf(
                string.Concat(
                    Enumerable.Range(0, 60).Select(i => $"{(i == 0 ? "root" : $"r{i}")} ::= r{i + 1} r{i + 1}\n")
                ) + "r60 ::= \"a\"?"
            ),
            ["grammar: a chain of rules"] = Gbnf(
                "root ::= r0\n"
                    + string.Concat(Enumerable.Range(0, 9_990).Select(i => $"r{i} ::= r{i + 1} \"b\"?\n"))
                    + "r9990 ::= \"a\""
            ),
            ["grammar: a chain of rules that may be empty"] = Gbnf(
                "root ::= \"x\" r0\n"
                    + string.Concat(Enumerable.Range(0, 9_990).Select(i => $"r{9_990 - i} ::= r{9_991 - i}? [a-z]?\n"))
                    + "r9991 ::= \"a\"?\nr0 ::= r1"
            ),
            ["grammar: a row of rules that may be empty"] = Gbnf(
                $"root ::= \"x\" {string.Join(' ', Enumerable.Range(0, 9_000).Select(i => $"r{8_999 - i}"))}\n"
                    + string.Concat(Enumerable.Range(0, 9_000).Select(i => $"r{i} ::= \"a{i}\"? any?\n"))
                    + "any ::= [a-z]"
            ),
            ["grammar: a repetition of rules that may be empty"] = Gbnf(
                "root ::= \"x\" (a b c d){3000} \"y\"\na ::= b? \"a\"?\nb ::= c?\nc ::= d? \"c\"?\nd ::= \"d\"?"
            ),
            ["grammar: nothing many times"] = Gbnf(
                "root ::= \"x\" (e* e* e*)* \"y\"\ne ::= f*\nf ::= g* \"z\"?\ng ::= \"\""
            ),
            ["grammar: classes of all scripts"] = Gbnf(
                "root ::= (w \" \"){500} w\nw ::= "
                    + string.Join(
                        " | ",
                        Enumerable.Range(0, 300).Select(i => $"[\\u{0x100 + 61 * i:x4}-\\u{0x8000 + 61 * i:x4}] w?")
                    )
            ),
            ["grammar: deep brackets"] = Gbnf(
                "root ::= " + new string('(', 190) + "\"a\"" + string.Concat(Enumerable.Repeat(")* \"b\"?", 190))
            ),
            ["grammar: brackets of nine kinds"] = Gbnf(
                "root ::= v*\nv ::= "
                    + string.Join(" | ", Enumerable.Range(0, 9).Select(i => $"[{(char)('a' + i)}-z] root \"{i}\"?"))
            ),
            ["grammar: a megabyte of text"] = Gbnf($"root ::= \"{new string('a', 1_000_000)}\""),
            ["grammar: too much text"] = Gbnf($"root ::= \"{new string('a', 1_100_000)}\""),
            ["grammar: a megabyte of comments"] = Gbnf(
                "root ::= \"a\"\n" + string.Concat(Enumerable.Repeat("# a comment\n", 80_000))
            ),
            ["grammar: a megabyte of alternatives"] = Gbnf(
                $"root ::= {string.Join(" | ", Enumerable.Range(0, 70_000).Select(i => $"\"w{i * 7919 % 70_000}\" b"))}\nb ::= root?"
            ),
            ["grammar: a far letter back"] = Gbnf("root ::= (\"a\" | \"b\")* \"a\" (\"a\" | \"b\"){25}"),
            ["grammar: a far rule back"] = Gbnf("root ::= x* a x{18}\nx ::= a | b\na ::= \"a\"\nb ::= \"b\""),
            ["grammar: counts of counts"] = Gbnf("root ::= ((b{0,60}){0,60}){0,60}\nb ::= \"b\" root?"),
            ["grammar: itself without end"] = Gbnf("root ::= \"a\" b\nb ::= \"b\" root"),
            ["grammar: the deepest repetitions"] = Gbnf(
                "root ::= " + new string('(', 199) + "\"a\"" + string.Concat(Enumerable.Repeat("){1,9}", 199))
            ),
            ["grammar: a repetition beyond all"] = Gbnf("root ::= \"a\"{1000000000}"),
            ["grammar: a rule beyond all"] = Gbnf("root ::= a{100000}\na ::= \"a\" | \"b\" root"),
            ["grammar: a circle of ten thousand"] = Gbnf(
                "root ::= r0\n"
                    + string.Concat(Enumerable.Range(0, 9_000).Select(i => $"r{i} ::= r{(i + 1) % 9_000} \"a\"\n"))
            ),
            ["grammar: rules that call all others"] = Gbnf(
                "root ::= r0\n"
                    + string.Concat(
                        Enumerable
                            .Range(0, 200)
                            .Select(i =>
                                $"r{i} ::= \"{i}\" ({string.Join(" | ", Enumerable.Range(0, 200).Select(j => $"r{j}"))})?\n"
                            )
                    )
            ),
            ["grammar: rules that may be empty and call all later ones"] = Gbnf(
                "root ::= r0 \".\"\n"
                    + string.Concat(
                        Enumerable
                            .Range(0, 200)
                            .Select(i =>
                                $"r{i} ::= [a-z]? {string.Join(' ', Enumerable.Range(i + 1, Math.Max(0, Math.Min(30, 199 - i))).Select(j => $"r{j}"))}\n"
                            )
                    )
            ),
            ["grammar: palindromes"] = Gbnf(
                $"root ::= {string.Join(" | ", Enumerable.Range(0, 26).Select(i => $"\"{(char)('a' + i)}\" root? \"{(char)('a' + i)}\""))}"
            ),
            ["grammar: palindromes of all scripts"] = Gbnf(
                $"root ::= {string.Join(" | ", Enumerable.Range(0, 3_000).Select(i => $"\"{(char)(0x4E00 + i)}\" root? \"{(char)(0x4E00 + i)}\""))} | [a-z] root? [a-z]"
            ),
            ["grammar: sums in all ways"] = Gbnf(
                "root ::= t (op root)*\nt ::= [a-z0-9 ]+ | \"(\" root \")\" | t2 t2?\nt2 ::= [a-z]+ op?\nop ::= [+*/-]? \" \"?"
            ),
            ["grammar: classes of many ranges"] = Gbnf(
                $"root ::= [{string.Concat(Enumerable.Range(0, 20_000).Select(i => $"\\u{0x100 + 2 * i:x4}"))}]+ root2\nroot2 ::= \"x\" root?"
            ),
            ["grammar: a class beside many rules"] = Gbnf(
                "root ::= "
                    + string.Join(" | ", Enumerable.Range(0, 500).Select(i => $"[^{(char)(0x4E00 + i)}] r{i}"))
                    + "\n"
                    + string.Concat(Enumerable.Range(0, 500).Select(i => $"r{i} ::= \"{i}\" | root\n"))
            ),
            ["grammar: a long name"] = Gbnf(
                $"root ::= {new string('n', 500_000)}\n{new string('n', 500_000)} ::= \"a\""
            ),
            ["grammar: not closed"] = Gbnf("root ::= " + new string('(', 150_000)),
            ["grammar: nothing"] = Gbnf(""),
            ["choices: many alike"] = Choices(10_000, i => $"the choice with the number {i * 7919 % 10_000}"),
            ["choices: many lengths"] = Choices(1_400, i => new string('a', i + 1)),
            ["choices: one of a megabyte"] = Choices(1, _ => new string('x', 1 << 20)),
            ["choices: signs beyond the basic plane"] = Choices(5_000, i =>
                char.ConvertFromUtf32(0x1F300 + i % 500) + char.ConvertFromUtf32(0x20000 + i) + i
            ),
            ["choices: at random"] = Choices(10_000, i => Noise(i, 100)),
            ["choices: common ends"] = Choices(9_000, i => $"{i}{new string('z', 100)}"),
            ["choices: too many"] = Choices(10_001, i => $"{i}"),
            ["choices: every text of two letters"] = Choices(9_000, i =>
                $"{(char)(0x4E00 + i)}{(char)(0x4E00 + 9_000 - i)}"
            ),
        };

    private static Func<GptOssGrammar> Regex(string pattern) => () => GptOssGrammar.Regex(pattern);

    private static Func<GptOssGrammar> Gbnf(string grammar) => () => GptOssGrammar.Gbnf(grammar);

    private static Func<GptOssGrammar> Choices(int count, Func<int, string> text) =>
        () => GptOssGrammar.Choices(Enumerable.Range(0, count).Select(text));

    private static string Noise(int seed, int length)
    {
        var random = new Random(seed);
        return string.Concat(Enumerable.Range(0, length).Select(_ => (char)('!' + random.Next(90))));
    }
}
