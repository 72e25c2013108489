namespace GptOss.Constraints.Regular;

/// <summary>What becomes of languages, as automata.</summary>
/// <remarks>
/// The operations give the smallest automaton of their language, unless it is large (<see cref="Minimizer"/>): fewer
/// states are fewer states of a machine, and fewer masks.
/// </remarks>
internal static class DfaAlgebra
{
    extension(CodePointDfa dfa)
    {
        /// <summary>
        /// The language of a list of texts. A text with a lone surrogate is left out, for UTF-8 cannot spell it.
        /// </summary>
        public static CodePointDfa Of(IEnumerable<string> texts) => TextTrie.Build(texts);

        /// <summary>The texts of both languages.</summary>
        public CodePointDfa And(CodePointDfa other, CompileBudget budget) =>
            DfaProduct.Of(dfa, other, DfaOperation.And, new(budget));

        /// <summary>The texts of either language.</summary>
        public CodePointDfa Or(CodePointDfa other, CompileBudget budget) =>
            DfaProduct.Of(dfa, other, DfaOperation.Or, new(budget));

        /// <summary>The texts of this language that are not of the other.</summary>
        public CodePointDfa Minus(CodePointDfa other, CompileBudget budget) =>
            DfaProduct.Of(dfa, other, DfaOperation.Minus, new(budget));

        /// <summary>All texts of scalar values that are not of this language.</summary>
        public CodePointDfa Not(CompileBudget budget) => CodePointDfa.AnyText.Minus(dfa, budget);
    }
}
