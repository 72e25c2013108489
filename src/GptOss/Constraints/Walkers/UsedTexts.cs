namespace GptOss.Constraints.Walkers;

/// <summary>
/// A set of texts as a trie: those from which another text has to differ. Equal sets of one <see cref="TextTable"/>
/// are one instance, whatever the order in which texts were added; adding copies only the path of the new text.
/// </summary>
internal sealed class UsedTexts
{
    private readonly byte[] _labels;
    private readonly UsedTexts[] _children;
    private readonly TextTable? _table;

    private UsedTexts(int id, bool isText, byte[] labels, UsedTexts[] children, TextTable? table)
    {
        (Id, IsText, _labels, _children, _table) = (id, isText, labels, children, table);
        Count = isText ? 1 : 0;
        foreach (UsedTexts child in children)
            Count += child.Count;
    }

    /// <summary>Beside all texts of the set: no text that goes on from here belongs to it.</summary>
    public static UsedTexts Off { get; } = new(1, false, [], [], null);

    /// <summary>Somewhere in a set that is not known.</summary>
    public static UsedTexts Unknown { get; } = new(2, false, [], [], null);

    /// <summary>The number of the trie in its table.</summary>
    public int Id { get; }

    /// <summary>Whether the bytes that led here are a text of the set.</summary>
    public bool IsText { get; }

    /// <summary>How many texts of the set go on from here.</summary>
    public int Count { get; }

    /// <summary>The next bytes of the texts, ascending.</summary>
    public ReadOnlySpan<byte> Labels => _labels;

    /// <summary>The trie behind a byte.</summary>
    public UsedTexts Next(int symbol)
    {
        if (ReferenceEquals(this, Unknown))
            return Unknown;
        int at = symbol < 256 ? _labels.AsSpan().BinarySearch((byte)symbol) : -1;
        return at >= 0 ? _children[at] : Off;
    }

    /// <summary>The set with one more text.</summary>
    public UsedTexts With(ReadOnlySpan<byte> text)
    {
        TextTable table = _table ?? throw new InvalidOperationException("Only a set of a table grows.");
        // The tries on the path of the text are made again from its end backwards.
        var path = new UsedTexts[text.Length + 1];
        path[0] = this;
        for (int i = 0; i < text.Length; i++)
            path[i + 1] = path[i].Next(text[i]);
        UsedTexts last = path[^1];
        UsedTexts grown = table.Intern(true, last._labels, last._children);
        for (int i = text.Length - 1; i >= 0; i--)
            grown = table.Intern(path[i].IsText, path[i]._labels, path[i]._children, text[i], grown);
        return grown;
    }

    /// <summary>Holds the sets that were made, so that equal ones are one instance.</summary>
    internal sealed class TextTable
    {
        private readonly Dictionary<Key, UsedTexts> _tries = [];
        private readonly Ledger _ledger;

        public TextTable(Ledger ledger)
        {
            _ledger = ledger;
            Empty = new UsedTexts(ledger.NextId(), false, [], [], this);
        }

        /// <summary>The set of no text.</summary>
        public UsedTexts Empty { get; }

        /// <summary>Forgets the sets; those in use elsewhere stay what they are.</summary>
        public void Forget() => _tries.Clear();

        internal UsedTexts Intern(bool isText, byte[] labels, UsedTexts[] children, byte label, UsedTexts child)
        {
            int at = labels.AsSpan().BinarySearch(label);
            if (at >= 0)
            {
                children = [.. children];
                children[at] = child;
                return Intern(isText, labels, children);
            }
            return Intern(
                isText,
                [.. labels[..~at], label, .. labels[~at..]],
                [.. children[..~at], child, .. children[~at..]]
            );
        }

        internal UsedTexts Intern(bool isText, byte[] labels, UsedTexts[] children)
        {
            var key = new Key(isText, labels, children);
            if (!_tries.TryGetValue(key, out UsedTexts? trie))
            {
                trie = new UsedTexts(_ledger.NextId(), isText, labels, children, this);
                _tries.Add(key, trie);
                _ledger.Take(160 + 9L * labels.Length);
            }
            return trie;
        }

        private readonly record struct Key(bool IsText, byte[] Labels, UsedTexts[] Children)
        {
            public bool Equals(Key other) =>
                IsText == other.IsText
                && Labels.AsSpan().SequenceEqual(other.Labels)
                && Children.AsSpan().SequenceEqual(other.Children);

            public override int GetHashCode()
            {
                var hash = new HashCode();
                hash.Add(IsText);
                hash.AddBytes(Labels);
                foreach (UsedTexts child in Children)
                    hash.Add(child.Id);
                return hash.ToHashCode();
            }
        }
    }
}
