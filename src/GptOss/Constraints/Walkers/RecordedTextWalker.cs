namespace GptOss.Constraints.Walkers;

/// <summary>
/// Walks a text that has to differ from those before it: an undeclared name of an object, an item of an array without
/// equal items. Where a reading stands among the texts before is its <see cref="Reading.Place"/>.
/// </summary>
/// <remarks>
/// The text itself is in no reading, else every text would make readings of its own, and a walk over a vocabulary
/// thousands. Whoever steps for good records it beside the configuration.
/// </remarks>
/// <param name="text">The language of the text.</param>
/// <param name="owner">The walker of the object or array.</param>
/// <param name="then">The owner's register behind the text.</param>
internal sealed class RecordedTextWalker(RecordedText text, Walker owner, ulong then) : Walker
{
    /// <summary>Begins a text in an object or array.</summary>
    public Reading Begin(in Reading reading, UsedTexts? used) =>
        new(this, reading.Callers, reading.Frame, used ?? UsedTexts.Unknown, text.Spelled.Start);

    /// <inheritdoc/>
    public override void Enter(Callers callers, Successors successors) =>
        throw new InvalidOperationException("A recorded text begins inside its object or array.");

    /// <inheritdoc/>
    public override void Step(in Reading reading, int symbol, Successors successors)
    {
        if (SpelledText.IsEscape(reading.Register))
            successors.Spend(SpelledText.StepsOfEscape);
        ulong register = text.Spelled.Step(reading.Register, symbol);
        if (register == SpelledText.Dead)
            return;
        UsedTexts place = RecordedText.Next(reading.Place!, reading.Register, symbol, register);
        if (text.Spelled.Accepts(register))
        {
            if (ReferenceEquals(place, UsedTexts.Unknown))
                successors.AskForText();
            else if (!place.IsText)
                successors.Add(new Reading(owner, reading.Callers, reading.Frame, null, then));
        }
        if (text.Spelled.IsDone(register))
            return;
        if (ReferenceEquals(place, UsedTexts.Unknown) && !text.IsEndlessAt(register))
            successors.AskForText();
        else if (text.IsAlive(register, place, successors))
            successors.Add(reading with { Register = register, Place = place });
    }

    /// <inheritdoc/>
    public override void AddSymbols(in Reading reading, SymbolSet symbols) =>
        text.Spelled.AddSymbols(reading.Register, symbols);

    /// <inheritdoc/>
    public override bool IsRecording(in Reading reading) => reading.Register != text.Spelled.Start;

    /// <inheritdoc/>
    public override int Survives(in Reading reading) =>
        text.IsEndless ? text.Survives(reading.Register, reading.Place!) : 0;

    /// <inheritdoc/>
    public override bool IsPlainInside(in Reading reading, out SpelledText? inside)
    {
        inside = null;
        return text.IsEndless
            && (text.IsEndlessEverywhere || ReferenceEquals(reading.Place, UsedTexts.Off))
            && text.Spelled.IsPlainInside(reading.Register, out inside);
    }

    /// <inheritdoc/>
    public override Reading Representative(in Reading reading) =>
        reading with
        {
            Register = text.Spelled.Representative(reading.Register),
            // Beside all used texts it no longer matters which they are.
            Frame = ReferenceEquals(reading.Place, UsedTexts.Off) ? reading.Frame!.Representative : reading.Frame,
        };
}
