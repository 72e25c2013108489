using GptOss.Constraints;
using GptOss.Constraints.Gbnf;

namespace GptOss.Tests.Constraints.Gbnf;

public sealed class GbnfGrammarTests
{
    public static TheoryData<string, string[], string[]> Examples =>
        new()
        {
            {
                "chess",
                [
                    "1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 4. Bxc6 dxc6 5. O-O Qd6",
                    "1. e4 f5 2. Qh5#",
                    "1. Rae1! exd8=Q+ 1/2-1/2",
                ],
                ["e4 e5", "1. e9", "1. e4  e5", "1. O-O-O-O", "1. Nf", ""]
            },
            {
                "json",
                ["{\"a\": [1, -2.5e+3, {}], \"é\\u00e9\": null}", " [ ] ", "\"\\\"\"", "[[[[[]]]]]", "0"],
                ["{a: 1}", "[1,]", "01", "\"\n\"", "{\"a\":1", "\"\\x\"", ""]
            },
            { "list", ["- a\n- b c\n  * d\n", "1. eggs, flour\n12. milk\n"], ["- a", "-a\n", "- \n", "  - a\n"] },
            {
                "arithmetic",
                ["x = 1 + 2*3\n", "-(a + b)^2 / 4.5\ny_1 = -x\n", "((1))\n"],
                ["1 +\n", "(1\n", "x = y = 1\n", "1", "2x\n"]
            },
            {
                "c",
                [
                    "int main() {\n  return 0;\n}\n",
                    "double f(int n, char *s) {\n  float t[10];\n  for (int i = 0; i < n; i++) {\n    t[i] += g(s[i], \"a\\n\") * -2.5;\n"
                        + "    if (t[i] != '\\n') { break; } else { print(\"%d\", t[i]); }\n  }\n  return (1 + 2) % 3;\n}",
                ],
                ["int main() { return 0 }", "int main( { }", "main() {}", "int f() { x = ; }", "int f() { \"a\"; }"]
            },
            {
                "greek",
                ["Καλημέρα σας, τι κάνετε;", "Ο ήλιος ανέτειλε στις 7. Ωραία!", "Ώς πότε…"],
                ["καλημέρα.", "Hello.", "Καλημέρα", "Καλημέρα  σας.", "\u03a2."]
            },
        };

    [Theory, MemberData(nameof(Examples))]
    public void A_grammar_of_the_usual_size_holds_texts_to_it(string name, string[] fitting, string[] others)
    {
        Grammar grammar = Compile(File.ReadAllText(Path.Combine(Folder, $"{name}.gbnf")));
        Assert.All(fitting, text => Assert.True(ConstraintState.Accepts(grammar, text), text));
        Assert.All(others, text => Assert.False(ConstraintState.Accepts(grammar, text), text));
    }

    [Theory]
    [InlineData("root ::= \"a\\n\\r\\t\\\"\\\\\\x41\\u00e9\\U0001F600\"", "a\n\r\t\"\\Aé😀", "a")]
    [InlineData("root ::= [a-c\\]-] [^a] .", "]b\n|-c😀|acx", "dbc|aac|ab")]
    [InlineData("root ::= [-a] [a-]", "-a|a-|--", "b-")]
    [InlineData("root ::= \"a\"* \"b\"+ \"c\"?", "b|aabbc", "a|c|acb")]
    [InlineData(
        "root ::= (\"a\"{2} | \"b\"{2,} | \"c\"{,2} | \"d\"{1,2}) \"!\"",
        "aa!|bbb!|!|cc!|d!",
        "a!|b!|ccc!|ddd!"
    )]
    [InlineData("root ::= x{ 2 , 3 }\nx ::= \"a\"", "aa|aaa", "a|aaaa")]
    [InlineData("root ::= (\n  \"a\" |\n  # a comment\n  \"b\"\n) \"c\" # the end\n\n# more", "ac|bc", "c")]
    [InlineData("root ::= \"a\"\n  | \"b\" |\n  \"c\"\n", "a|b|c", "d")]
    [InlineData("root ::=\n  x\nx::=\"a\"", "a", "b")]
    [InlineData("root ::= \"a\" | ", "a|", "b")] // an empty alternative
    [InlineData("root ::= (\"a\"* \"b\"?)* \"c\"", "c|abac", "")] // a loop over what may be empty
    [InlineData("root ::= x* \"c\"\nx ::= y?\ny ::= \"a\" | \"\"", "c|aac", "ca")]
    [InlineData("root ::= \"(\" root \")\" | \"\"", "|()|(())", "(|)(")]
    [InlineData("root ::= \"a\" root? \"b\"", "ab|aabb", "aab")]
    [InlineData("root ::= \"a\" | x\nx ::= \"b\" x", "a", "b|bb")] // what has no end is called nowhere
    [InlineData("root ::= \"a\"\nother ::= missing other", "a", "b")] // what is not reached is not looked at
    [InlineData("root ::= e_1 e-2\ne_1 ::= \"a\"\ne-2 ::= \"b\"", "ab", "a")]
    [InlineData("root ::= \"a\"\r\n\r\nx ::= \"b\"\r\n", "a", "b")]
    [InlineData("root ::= s s\ns ::= \"a\" | \"ab\" | \"b\"", "abb|aab|ba|aa", "abab b|a")]
    public void A_grammar_means_what_its_notation_says(string grammar, string fitting, string others)
    {
        Grammar compiled = Compile(grammar);
        Assert.All(fitting.Split('|'), text => Assert.True(ConstraintState.Accepts(compiled, text), text));
        Assert.All(others.Split('|').Except(fitting.Split('|')), text =>
            Assert.False(ConstraintState.Accepts(compiled, text), text)
        );
    }

    [Theory]
    [InlineData("", "line 1, column 1: no rule is named 'root'")]
    [InlineData("rot ::= \"a\"", "line 1, column 1: no rule is named 'root'")]
    [InlineData("x ::= root", "line 1, column 7: no rule is named 'root'")]
    [InlineData("root ::= \"a\"\n  item", "line 2, column 7: '::=' is expected behind 'item'")]
    [InlineData("root ::= item\n", "line 1, column 10: rule 'item' is not defined")]
    [InlineData("root ::= \"a\"\nroot ::= \"b\"", "line 2, column 1: rule 'root' is defined twice")]
    [InlineData("root ::= \"a", "line 1, column 10: the literal is not closed")]
    [InlineData("root ::= \"\\q\"", "line 1, column 11: this escape is not known")]
    [InlineData("root ::= \"\\u12\"", "line 1, column 11: the escape needs 4 hexadecimal digits of a character")]
    [InlineData("root ::= \"\\uD800\"", "line 1, column 11: the escape needs 4 hexadecimal digits of a character")]
    [InlineData("root ::= [a", "line 1, column 10: the class is not closed")]
    [InlineData("root ::= [a-", "line 1, column 10: the class is not closed")]
    [InlineData("root ::= []", "line 1, column 10: the class is empty")]
    [InlineData("root ::= [z-a]", "line 1, column 11: the range is out of order")]
    [InlineData("root ::= (\"a\"\n", "line 1, column 10: the group is not closed")]
    [InlineData("root ::= \"a\")", "line 1, column 13: ')' is not expected here")]
    [InlineData("root ::= * \"a\"", "line 1, column 10: nothing to repeat")]
    [InlineData("root ::= \"a\"**", "line 1, column 14: nothing to repeat")]
    [InlineData("root ::= \"a\"{3,2}", "line 1, column 13: the numbers of the repetition are out of order")]
    [InlineData("root ::= \"a\"{}", "line 1, column 13: the repetition needs a number")]
    [InlineData("root ::= \"a\"{,}", "line 1, column 13: the repetition needs a number")]
    [InlineData("root ::= \"a\"{2", "line 1, column 15: '}' is expected")]
    [InlineData(
        "root ::= <|end|>",
        "line 1, column 10: tokens are not supported: the text of an answer holds no markers"
    )]
    [InlineData(
        "root ::= !<[200]>",
        "line 1, column 10: tokens are not supported: the text of an answer holds no markers"
    )]
    [InlineData("root ::= \"a\" @", "line 1, column 14: '@' is not expected here")]
    [InlineData("root ::= root \"a\" | \"b\"", "line 1, column 1: left recursion: root → root begins with itself")]
    [InlineData(
        "root ::= x\n\nx ::= y? z\ny ::= \"a\"\nz ::= x",
        "line 3, column 1: left recursion: x → z → x begins with itself"
    )]
    [InlineData("root ::= (\"a\"? root)*", "line 1, column 1: left recursion: root → root begins with itself")]
    [InlineData("root ::= \"a\" root", "line 1, column 1: no finite text fits rule 'root'")]
    [InlineData("root ::= \"a\" x\nx ::= \"b\" root", "line 1, column 1: no finite text fits rule 'root'")]
    public void A_wrong_grammar_is_refused_with_line_and_column(string grammar, string message) =>
        Assert.Equal(message, Assert.Throws<GbnfException>(() => Compile(grammar)).Message);

    [Fact]
    public void Groups_nest_at_most_200_deep()
    {
        Assert.True(ConstraintState.Accepts(Compile($"root ::= {Nested(200)}"), "a"));
        Assert.Contains("200", Assert.Throws<GbnfException>(() => Compile($"root ::= {Nested(201)}")).Message);

        static string Nested(int depth) => new string('(', depth) + "\"a\"" + new string(')', depth);
    }

    public static TheoryData<string, string> Bombs =>
        new()
        {
            { new string(' ', (1 << 20) + 1), "1,048,577 bytes" },
            { string.Concat(Enumerable.Range(0, 10_001).Select(n => $"r{n} ::= \"a\"\n")), "10,000 rules" },
            { "root ::= \"a\"{1000000}", "states" },
            { "root ::= \"\"{1000000000}", "steps" },
            { "root ::= ((((\"a\"{99}){99}){99}){99}){99}", "states" },
            { "root ::= [ab]* \"a\" [ab]{16}", "steps" },
            {
                "root ::= ("
                    + string.Join('|', Enumerable.Range(0, 60_000).Select(n => $"\"{n * 7919L % 1_000_003}x\""))
                    + ")",
                "states"
            },
        };

    [Theory, MemberData(nameof(Bombs))]
    public void A_bomb_meets_a_limit(string grammar, string limit)
    {
        TimeSpan start = ThreadClock.Now;
        Assert.Contains(limit, Assert.Throws<LimitException>(() => Compile(grammar)).Message);
        Assert.InRange(ThreadClock.Now - start, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Ten_thousand_rules_below_one_another_compile_in_either_order()
    {
        string[] rules = [.. Enumerable.Range(1, 9_998).Select(n => $"r{n} ::= \"a\"? r{n + 1}"), "r9999 ::= \"b\""];
        string down = string.Join('\n', rules.Prepend("root ::= r1"));
        string up = string.Join('\n', rules.Reverse().Append("root ::= r1"));
        Assert.Equal("root", GbnfGrammar.Compile(down, new CompileBudget()).Name);
        Assert.Equal("root", GbnfGrammar.Compile(up, new CompileBudget()).Name);
        string circle = up.Replace("r9999 ::= \"b\"", "r9999 ::= root | \"b\"");
        Assert.Contains("left recursion", Assert.Throws<GbnfException>(() => Compile(circle)).Message);
    }

    [Fact]
    public void Random_grammars_hold_random_texts_to_what_a_naive_matcher_says()
    {
        int compiled = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            string text = RandomGrammars.Draw(random);
            Grammar grammar;
            try
            {
                grammar = Compile(text);
            }
            catch (GbnfException error) when (error.Message.Contains("recursion") || error.Message.Contains("finite"))
            {
                continue;
            }
            compiled++;
            var oracle = new NaiveMatcher(text);
            for (int draw = 0; draw < 20; draw++)
            {
                string value = RandomGrammars.Text(random);
                Assert.True(
                    oracle.Accepts(value) == ConstraintState.Accepts(grammar, value),
                    $"seed {seed}: '{value}'\n{text}"
                );
            }
        }
        Assert.InRange(compiled, 100, 400);
    }

    private static string Folder =>
        Path.Combine(Repository.Root, "tests", "GptOss.Tests", "Constraints", "vectors", "gbnf");

    private static Grammar Compile(string grammar) =>
        new(GbnfGrammar.Compile(grammar, new CompileBudget()), isCompact: false);
}
