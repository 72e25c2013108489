namespace GptOss.Constraints.Walkers;

/// <summary>Walks a text of a regular language; the register is that of <see cref="SpelledText"/>.</summary>
internal sealed class TextWalker(SpelledText text) : Walker
{
    /// <inheritdoc/>
    public override bool IsNullable => text.Accepts(text.Start);

    /// <inheritdoc/>
    public override void Enter(Callers callers, Successors successors)
    {
        if (!text.IsEmpty)
            successors.Add(new Reading(this, callers, null, null, text.Start));
    }

    /// <inheritdoc/>
    public override void Step(in Reading reading, int symbol, Successors successors)
    {
        if (SpelledText.IsEscape(reading.Register))
            successors.Spend(SpelledText.StepsOfEscape);
        ulong register = text.Step(reading.Register, symbol);
        if (register == SpelledText.Dead)
            return;
        if (text.IsDone(register))
            successors.Complete(reading.Callers);
        else
            successors.Add(reading with { Register = register });
    }

    /// <inheritdoc/>
    public override void AddSymbols(in Reading reading, SymbolSet symbols) =>
        text.AddSymbols(reading.Register, symbols);

    /// <inheritdoc/>
    public override void Close(in Reading reading, Successors successors)
    {
        if (text.Accepts(reading.Register))
            successors.Complete(reading.Callers);
    }

    /// <inheritdoc/>
    public override int Survives(in Reading reading) => text.Survives(reading.Register);

    /// <inheritdoc/>
    public override bool IsPlainInside(in Reading reading, out SpelledText? inside) =>
        text.IsPlainInside(reading.Register, out inside);

    /// <inheritdoc/>
    public override Reading Representative(in Reading reading) =>
        reading with
        {
            Register = text.Representative(reading.Register),
        };
}
