namespace GptOss.Constraints;

/// <summary>
/// The last byte of a text that is recorded, and those before it: so a longer text copies nothing of the shorter one.
/// </summary>
internal sealed class RecordedByte(RecordedByte? before, byte value)
{
    private readonly RecordedByte? _before = before;
    private readonly int _length = before is null ? 1 : before._length + 1;

    /// <summary>All bytes of the text.</summary>
    public byte[] ToArray()
    {
        var text = new byte[_length];
        for (RecordedByte? at = this; at is not null; at = at._before)
            text[at._length - 1] = at.Value;
        return text;
    }

    /// <summary>The last byte of the text.</summary>
    public byte Value { get; } = value;
}
