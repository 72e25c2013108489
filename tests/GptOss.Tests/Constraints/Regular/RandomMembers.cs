using System.Text;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Regular;

/// <summary>Draws texts of a language.</summary>
internal static class RandomMembers
{
    /// <summary>A random walk through the automaton, which turns to the nearest end after some code points.</summary>
    public static string Draw(CodePointDfa dfa, Random random, int turn = 20)
    {
        var text = new StringBuilder();
        int state = CodePointDfa.Start;
        for (int length = 0; ; length++)
        {
            bool isEnding = length >= turn;
            if (dfa.Accepts(state) && (isEnding || dfa.Edges(state).IsEmpty || random.Next(6) == 0))
                return text.ToString();
            DfaEdge[] edges = dfa.Edges(state).ToArray();
            if (isEnding)
                edges = [edges.MinBy(edge => dfa.Measures.Shortest(edge.Target))];
            DfaEdge edge = edges[random.Next(edges.Length)];
            text.Append(new Rune(random.Next(edge.First, edge.Last + 1)));
            state = edge.Target;
        }
    }
}
