using GptOss.Cli.Bench;
using GptOss.Tokenization;

namespace GptOss.Tests.Cli;

/// <summary>The stored texts of <c>gptoss bench --workload edit</c>.</summary>
public sealed class EditWorkloadTests
{
    [Fact]
    public void Nine_of_ten_tokens_of_the_edit_are_copied_from_the_prompt_in_order()
    {
        IReadOnlyList<int> prompt = Tokens("before"),
            edit = Tokens("after");
        Assert.InRange(prompt.Count, 200, 500);
        Assert.InRange(edit.Count, 200, 500);
        Assert.InRange((double)Common(prompt, edit) / edit.Count, 0.895, 0.905);
    }

    [Fact]
    public void The_other_answer_repeats_no_three_tokens_of_the_prompt()
    {
        HashSet<(int, int, int)> known = [.. Triples(Tokens("before"))];
        Assert.DoesNotContain(Triples(Tokens("other")), known.Contains);
    }

    private static IReadOnlyList<int> Tokens(string name) => Tokenizer.O200kHarmony.Encode(EditWorkload.Text(name));

    private static IEnumerable<(int, int, int)> Triples(IReadOnlyList<int> tokens) =>
        Enumerable.Range(0, tokens.Count - 2).Select(i => (tokens[i], tokens[i + 1], tokens[i + 2]));

    // The longest common subsequence: the most tokens that can be copied in order.
    private static int Common(IReadOnlyList<int> one, IReadOnlyList<int> other)
    {
        int[,] longest = new int[one.Count + 1, other.Count + 1];
        for (int i = 0; i < one.Count; i++)
        for (int j = 0; j < other.Count; j++)
            longest[i + 1, j + 1] =
                one[i] == other[j] ? longest[i, j] + 1 : Math.Max(longest[i, j + 1], longest[i + 1, j]);
        return longest[one.Count, other.Count];
    }
}
