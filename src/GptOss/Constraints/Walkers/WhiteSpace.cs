namespace GptOss.Constraints.Walkers;

/// <summary>
/// White space between two tokens of JSON: nothing, or one space, or one line feed followed by at most 40 spaces or at
/// most 12 tabs. So no model can write white space without end.
/// </summary>
internal static class WhiteSpace
{
    /// <summary>Nothing has been read.</summary>
    public const int Start = 0;

    /// <summary>No white space goes on from here; also what <see cref="Next"/> gives where there is none.</summary>
    public const int Refused = -1;

    /// <summary>The number of states.</summary>
    public const int States = Tabs + MostTabs + 1;

    private const int MostSpaces = 40;
    private const int MostTabs = 12;

    private const int OneSpace = 1;
    private const int Spaces = 2; // a line feed and no space yet
    private const int Tabs = Spaces + MostSpaces; // + the number of tabs, from 1

    /// <summary>The state behind a byte of white space, or <see cref="Refused"/>.</summary>
    public static int Next(int state, int symbol) =>
        symbol switch
        {
            ' ' when state == Start => OneSpace,
            ' ' when state is >= Spaces and < Spaces + MostSpaces => state + 1,
            '\n' when state == Start => Spaces,
            '\t' when state == Spaces => Tabs + 1,
            '\t' when state is > Tabs and < Tabs + MostTabs => state + 1,
            _ => Refused,
        };
}
