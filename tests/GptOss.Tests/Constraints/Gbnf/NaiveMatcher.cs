using GptOss.Constraints.Gbnf;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Gbnf;

/// <summary>
/// The definition of a grammar, without automata: for each part and each place of a text, the places where the part
/// can end. Rules that begin with themselves are not its affair.
/// </summary>
internal sealed class NaiveMatcher(string grammar)
{
    private readonly List<GbnfRule> _rules = GbnfReader.Read(new GbnfText(grammar));

    private readonly Dictionary<(RegexNode, int), HashSet<int>> _known = new(new ByReference());

    public bool Accepts(string text)
    {
        _known.Clear();
        return Ends(_rules.Find(rule => rule.Name == "root")!.Body!, text, 0).Contains(text.Length);
    }

    private HashSet<int> Ends(RegexNode node, string text, int start) =>
        _known.TryGetValue((node, start), out HashSet<int>? ends)
            ? ends
            : _known[(node, start)] = FindEnds(node, text, start);

    private HashSet<int> FindEnds(RegexNode node, string text, int start)
    {
        switch (node)
        {
            case RegexNode.Read read when _rules.FindIndex(rule => IsCall(read, rule)) is >= 0 and int number:
                return Ends(_rules[number].Body!, text, start);
            case RegexNode.Read read:
                return start < text.Length && read.Set.Contains(text[start]) ? [start + 1] : [];
            case RegexNode.Choice choice:
                return [.. choice.Branches.SelectMany(branch => Ends(branch, text, start))];
            case RegexNode.Series sequence:
                return sequence.Parts.Aggregate(new HashSet<int> { start }, (places, part) =>
                    [.. places.SelectMany(place => Ends(part, text, place))]
                );
            default:
                return Repeat((RegexNode.Repeat)node, text, start);
        }
    }

    private HashSet<int> Repeat(RegexNode.Repeat repeat, string text, int start)
    {
        HashSet<int> places = [start],
            all = repeat.Min == 0 ? [start] : [];
        // More than one repetition a character, and one for each that must be, brings no further place.
        for (int time = 1; time <= Math.Min(repeat.Max ?? int.MaxValue, repeat.Min + text.Length + 1); time++)
        {
            places = [.. places.SelectMany(place => Ends(repeat.Body, text, place))];
            if (time >= repeat.Min)
                all.UnionWith(places);
        }
        return all;
    }

    private bool IsCall(RegexNode.Read read, GbnfRule rule) => read.Set.Contains(GbnfRule.Symbol(_rules.IndexOf(rule)));

    private sealed class ByReference : IEqualityComparer<(RegexNode Node, int Start)>
    {
        public bool Equals((RegexNode Node, int Start) x, (RegexNode Node, int Start) y) =>
            ReferenceEquals(x.Node, y.Node) && x.Start == y.Start;

        public int GetHashCode((RegexNode Node, int Start) key) =>
            HashCode.Combine(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(key.Node), key.Start);
    }
}
