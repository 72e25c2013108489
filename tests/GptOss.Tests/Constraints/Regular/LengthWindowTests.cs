using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Regular;

public sealed class LengthWindowTests
{
    private const int Longest = 40;

    private static readonly string[] _patterns =
    [
        "^a*$",
        "^(ab)*$",
        "^(ab|c)*$",
        "^(aaa|aaaaa)*$",
        "^(a{4}|b{7}|c)$",
        "^((a{4})*|b(c{6})*)$",
        "^a{3,9}(b{5})*$",
        "^[a-z]{2}(-[a-z]{4}){0,3}$",
        "^(a{20}|b{35})?$",
    ];

    [Fact]
    public void A_text_can_end_where_some_rest_has_a_length_within_the_window()
    {
        var random = new Random(1);
        foreach (string pattern in _patterns)
        {
            CodePointDfa dfa = RandomPatterns.Search(pattern);
            bool[][] lengths = LengthsOf(dfa);
            for (int draw = 0; draw < 20; draw++)
            {
                int min = random.Next(0, 20);
                int? max = random.Next(4) == 0 ? null : min + random.Next(0, random.Next(2) == 0 ? 3 : 20);
                var window = new LengthWindow(dfa, min, max, new CompileBudget());
                for (int state = 0; state < dfa.Count; state++)
                for (int read = 0; read < Longest; read++)
                {
                    bool expected = Enumerable
                        .Range(0, 4 * Longest)
                        .Any(rest => lengths[rest][state] && rest + read >= min && !(rest + read > max));
                    Assert.True(
                        expected == window.CanEnd(state, read),
                        $"{pattern} {min} to {max}: state {state} after {read}"
                    );
                    Assert.True(
                        expected || read < window.FirstFree || read > window.LastFree,
                        $"{pattern} {min} to {max}: not free in {state} after {read}"
                    );
                }
            }
        }
    }

    [Fact]
    public void A_million_code_points_need_no_table_of_them()
    {
        CodePointDfa dfa = RandomPatterns.Search(@"^\S+( \S+)*$");
        var budget = new CompileBudget();
        var window = new LengthWindow(dfa, 999_999, 1_000_000, budget);
        Assert.True(window.IsPossible);
        Assert.InRange(budget.Steps, 0, 1_000);
        Assert.InRange(window.LastFree, 999_990, 1_000_000);

        var even = new LengthWindow(RandomPatterns.Search("^(..)*$"), 999_999, 999_999, new CompileBudget());
        Assert.False(even.IsPossible);
        Assert.True(even.CanEnd(1, 999_998));
        Assert.False(even.CanEnd(1, 999_997));
    }

    [Fact]
    public void Lengths_that_repeat_too_late_meet_a_limit()
    {
        // Nothing repeats before 2·3·5·7·11·13·17 = 510,510 code points.
        CodePointDfa dfa = RandomPatterns.Search(
            "^((a{2})*|b(a{3})*|c(a{5})*|d(a{7})*|e(a{11})*|f(a{13})*|g(a{17})*)$"
        );
        Assert.Throws<LimitException>(() => new LengthWindow(dfa, 999_999, 999_999, new CompileBudget()));
        Assert.True(new LengthWindow(dfa, 100, 100, new CompileBudget()).IsPossible);
    }

    // The definition: for each length, the states from which a rest of that length is accepted.
    private static bool[][] LengthsOf(CodePointDfa dfa)
    {
        var lengths = new bool[4 * Longest][];
        lengths[0] = [.. Enumerable.Range(0, dfa.Count).Select(dfa.Accepts)];
        for (int length = 1; length < lengths.Length; length++)
        {
            lengths[length] = new bool[dfa.Count];
            for (int state = 0; state < dfa.Count; state++)
                foreach (DfaEdge edge in dfa.Edges(state))
                    lengths[length][state] |= lengths[length - 1][edge.Target];
        }
        return lengths;
    }
}
