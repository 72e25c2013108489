namespace GptOss.Tests.Fuzzing;

/// <summary>
/// Something that is read from outside: sound examples, a damage that knows its structure, and what holds whatever the
/// bytes are.
/// </summary>
internal abstract class FuzzInput : IDisposable
{
    /// <summary>The name of the input, which its folder of vectors/fuzz has too.</summary>
    public abstract string Name { get; }

    /// <summary>How many seeds the suite draws: about a second of them.</summary>
    public virtual int Cases => 2000;

    /// <summary>Whether damage can go unnoticed here; nothing that has a checksum is read.</summary>
    public virtual bool CanBeRead => true;

    /// <summary>Whether there is anything that is refused; a parser of answers refuses nothing.</summary>
    public virtual bool CanBeRefused => true;

    /// <summary>
    /// The time that a case may take. A request is not to wait for a refusal; what takes a second is work that grows
    /// faster than the input, since none of them has more than some 100 KB.
    /// </summary>
    public virtual TimeSpan MostTime => TimeSpan.FromSeconds(1);

    /// <summary>
    /// The memory that a case may allocate: a few objects for each value of the text, of which a value has two bytes at
    /// least. A count that the input claims and does not have would go far beyond.
    /// </summary>
    public virtual long MostBytes(int length) => (1 << 20) + 200L * length;

    /// <summary>The time that a case is measured by; only the own thread's is free of other tests.</summary>
    public virtual TimeSpan Now => ThreadClock.Now;

    /// <summary>The damaged input of a seed.</summary>
    public abstract byte[] Draw(Random random);

    /// <summary>Reads the input, and fails where it was accepted and does not keep what was promised.</summary>
    /// <returns>Whether it was accepted; false or a <see cref="GptOssException"/> where it was refused.</returns>
    public abstract bool Reads(byte[] input);

    public void Dispose() => Close();

    /// <summary>Frees what the input holds.</summary>
    protected virtual void Close() { }

    /// <summary>How many damages a case has: one in four cases of six, so that more is read behind it.</summary>
    protected static int Damages(Random random) => Math.Max(1, random.Next(6) - 2);

    /// <summary>One of several, each as likely as the others.</summary>
    protected static T Any<T>(IReadOnlyList<T> items, Random random) => items[random.Next(items.Count)];
}
