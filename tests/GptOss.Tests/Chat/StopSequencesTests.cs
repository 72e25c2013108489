using GptOss.Chat;

namespace GptOss.Tests.Chat;

public sealed class StopSequencesTests
{
    [Fact]
    public void However_the_text_is_cut_the_answer_ends_before_the_first_sequence()
    {
        var random = new Random(4);
        for (int round = 0; round < 2000; round++)
        {
            // Few letters, so that sequences overlap with themselves and with each other.
            string text = Word(random, 0, 20);
            string[] stops = [.. Enumerable.Range(0, random.Next(0, 4)).Select(_ => Word(random, 0, 5))];
            // The definition, letter by letter: the first place where any sequence has just become complete.
            int end = Enumerable
                .Range(0, text.Length + 1)
                .SelectMany(at =>
                    stops
                        .Where(stop => stop.Length > 0 && text[..at].EndsWith(stop, StringComparison.Ordinal))
                        .OrderByDescending(stop => stop.Length)
                        .Select(stop => at - stop.Length)
                )
                .Cast<int?>()
                .FirstOrDefault()
                ?? text.Length;

            var finder = new StopSequences(stops);
            string given = "";
            for (int at = 0; at < text.Length; )
            {
                int length = Math.Min(random.Next(1, 5), text.Length - at);
                given += finder.Append(text.Substring(at, length));
                Assert.StartsWith(given, text[..end]); // never more than is certain
                at += length;
            }
            Assert.Equal(text[..end], given + finder.Flush());
            Assert.Equal(end < text.Length, finder.IsReached);
        }
    }

    [Fact]
    public void Only_what_may_become_a_sequence_is_held_back()
    {
        var finder = new StopSequences(["STOP"]);

        Assert.Equal("abc", finder.Append("abcST"));
        Assert.Equal("STa", finder.Append("a"));
        Assert.Equal("", finder.Append("STO"));
        Assert.Equal("STO", finder.Flush());
    }

    private static string Word(Random random, int from, int to) =>
        string.Concat(Enumerable.Range(0, random.Next(from, to)).Select(_ => (char)('a' + random.Next(2))));
}
