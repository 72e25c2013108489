using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Regular;
using GptOss.Constraints.Walkers;

namespace GptOss.Tests.Constraints.Walkers;

public sealed class SpelledTextTests
{
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// The definition: the spelling of a value is accepted exactly where the value has the pattern and the length, and
    /// as long as bytes go on, some value can still be completed.
    /// </summary>
    [Theory]
    [InlineData(@"^[a\n""é]*$", 0, null)]
    [InlineData(@"^[^\n]{0,3}$", 1, 2)]
    [InlineData("^(aa)*$", 1, 4)] // no text of one or three characters
    [InlineData("^(😀|é|€a)*$", 0, 3)]
    [InlineData("a", 2, null)] // found anywhere
    [InlineData(@"^(\u0001|\\|aé)?$", 0, null)]
    [InlineData(@"^[^a-z]*$", 0, 4)]
    [InlineData(@"^[\u001f\u00a0]+$", 0, null)]
    public void A_spelling_is_accepted_where_its_value_is(string pattern, int min, int? max)
    {
        CodePointDfa language = Patterns.Search(pattern, new CompileBudget());
        var spelled = new SpelledText(new TextShape(language, IsQuoted: true, min, max), new CompileBudget());
        var random = new Random(5);
        int accepted = 0;
        for (int i = 0; i < 3_000; i++)
        {
            string value = Value(random);
            int length = value.EnumerateRunes().Count();
            bool isValue = language.Accepts(value) && length >= min && !(length > max);
            accepted += isValue ? 1 : 0;
            Assert.Equal(isValue, Accepts(spelled, JsonEscapes.Quoted(value)));
            Assert.Equal(isValue, Accepts(spelled, JsonSerializer.SerializeToUtf8Bytes(value, Relaxed)));
        }
        Assert.True(accepted > 10, $"Only {accepted} values were accepted.");
    }

    /// <summary>No register is a dead end: from each some bytes lead to the end of a text.</summary>
    [Theory]
    [InlineData("^(aa)*$", 1, 3)]
    [InlineData(@"^[a\u0001\u0010]*😀$", 0, 3)]
    [InlineData(@"^[\ud800\udc00-\udbff\udfff]é$", 0, null)]
    [InlineData(@"^[\u00a0\u00a1\u2028\ue000-\ue00f\ud7fc]{2}$", 0, null)]
    public void Every_register_leads_to_an_end(string pattern, int min, int? max)
    {
        CodePointDfa language = Patterns.Search(pattern, new CompileBudget());
        var spelled = new SpelledText(new TextShape(language, IsQuoted: true, min, max), new CompileBudget());
        var before = new Dictionary<ulong, List<ulong>> { [spelled.Start] = [] };
        var open = new Queue<ulong>(before.Keys);
        while (open.TryDequeue(out ulong register))
            for (int symbol = 0; symbol < 256; symbol++)
                if (spelled.Step(register, symbol) is var next && next != SpelledText.Dead)
                {
                    if (before.TryAdd(next, []))
                        open.Enqueue(next);
                    before[next].Add(register);
                }
        var alive = new HashSet<ulong>(before.Keys.Where(spelled.Accepts));
        open = new Queue<ulong>(alive);
        while (open.TryDequeue(out ulong register))
            foreach (ulong earlier in before[register])
                if (alive.Add(earlier))
                    open.Enqueue(earlier);
        Assert.Equal(before.Keys.Order(), alive.Order());
    }

    private static string Value(Random random)
    {
        var value = new StringBuilder();
        for (int length = random.Next(6); length > 0; length--)
            value.Append(
                random.Next(9) switch
                {
                    0 => "é",
                    1 => "😀",
                    2 => "\n",
                    3 => "\u0001",
                    4 => "€",
                    5 => "\u001f",
                    6 => "\u00A0",
                    _ => "a",
                }
            );
        return random.Next(9) == 0 ? value.Append("\\\"").ToString() : value.ToString();
    }

    private static bool Accepts(SpelledText text, byte[] bytes)
    {
        ulong register = text.Start;
        foreach (byte symbol in bytes)
            if ((register = text.Step(register, symbol)) == SpelledText.Dead)
                return false;
        return text.Accepts(register);
    }
}
