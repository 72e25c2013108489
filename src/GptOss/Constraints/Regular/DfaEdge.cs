namespace GptOss.Constraints.Regular;

/// <summary>
/// An edge of a <see cref="DfaStates"/>: the code points from the first to the last lead to the target.
/// </summary>
internal readonly record struct DfaEdge(int First, int Last, int Target);
