using System.Numerics;

namespace GptOss.Constraints.Walkers;

/// <summary>Some of the declared names of an object, a bit for each number.</summary>
internal readonly struct NameSet(int names)
{
    private readonly ulong[] _words = new ulong[(names + 63) / 64];

    /// <summary>How many names there are.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (ulong word in _words)
                count += BitOperations.PopCount(word);
            return count;
        }
    }

    /// <summary>The least number of a name; <see cref="int.MaxValue"/> without any.</summary>
    public int First
    {
        get
        {
            for (int at = 0; at < _words.Length; at++)
                if (_words[at] != 0)
                    return 64 * at + BitOperations.TrailingZeroCount(_words[at]);
            return int.MaxValue;
        }
    }

    /// <summary>Whether a name is one of them.</summary>
    public bool Has(int name) => (_words[name / 64] >> (name % 64) & 1) != 0;

    /// <summary>Adds a name to the others.</summary>
    public void Add(int name) => _words[name / 64] |= 1UL << (name % 64);

    /// <summary>Takes a name out, if it is there.</summary>
    public void Remove(int name) => _words[name / 64] &= ~(1UL << (name % 64));

    /// <summary>Takes all names out.</summary>
    public void Clear() => _words.AsSpan().Clear();

    /// <summary>Adds all names of another set.</summary>
    public void Add(NameSet others)
    {
        for (int at = 0; at < _words.Length; at++)
            _words[at] |= others._words[at];
    }

    /// <summary>Takes out all names that have a bit.</summary>
    public void Remove(ReadOnlySpan<ulong> bits)
    {
        for (int at = 0; at < _words.Length; at++)
            _words[at] &= ~bits[at];
    }

    /// <summary>Takes out all names of another set.</summary>
    public void Remove(NameSet others) => Remove(others._words);

    /// <summary>Whether every name of the set is one of others, or has a bit.</summary>
    public bool IsWithin(NameSet others, ReadOnlySpan<ulong> bits)
    {
        for (int at = 0; at < _words.Length; at++)
            if ((_words[at] & ~others._words[at] & ~bits[at]) != 0)
                return false;
        return true;
    }

    /// <summary>Makes the set equal to another one.</summary>
    public void Set(NameSet other) => other._words.CopyTo(_words, 0);
}
