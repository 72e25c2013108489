using System.Runtime.InteropServices;

namespace GptOss.Generation;

/// <summary>
/// Guesses the next tokens of a sequence: those that followed the same tokens before, in its prompt or its answer. A
/// pass then verifies several of them at once.
/// </summary>
/// <remarks>
/// The guess follows an earlier place of the sequence for as long as the two agree. Where they part, it goes on where
/// the last three tokens came last, else near by, since an edit replaces, adds or leaves out a few tokens. A guess may
/// be wrong without harm, so that two triples of tokens may share a key. Every token costs the same, however long the
/// sequence is.
/// </remarks>
internal sealed class PromptLookup
{
    /// <summary>The most tokens that are guessed for one pass.</summary>
    public const int MostGuessed = 15;

    /// <summary>How far from its place a copy is sought after tokens that differ.</summary>
    private const int Near = 8;

    /// <summary>How much a token counts for the share of right guesses beside those before.</summary>
    private const double Weight = 1 / 4.0;

    // Where the three tokens of the key were followed last.
    private readonly Dictionary<long, int> _places;
    private readonly List<int> _tokens;
    private readonly int[] _guess = new int[MostGuessed];

    // The place whose token comes next if the copy goes on, and the one where it last agreed; −1 where there is none.
    private int _place = -1;
    private int _agreed = -1;
    private int _misses;

    /// <param name="tokens">The tokens of the sequence; the owner adds those of the answer.</param>
    public PromptLookup(List<int> tokens)
    {
        _tokens = tokens;
        _places = new Dictionary<long, int>(tokens.Count);
        for (int count = 1; count <= tokens.Count; count++)
            if (Find(count) is >= 0 and var place)
                _place = place;
            else
                _place = -1;
        _agreed = _place;
    }

    /// <summary>
    /// The share of guesses that were right, the latest counting most. Known without a verifying pass too, since every
    /// token that comes shows whether it would have been guessed.
    /// </summary>
    public double RightShare { get; private set; } = 0.5;

    /// <summary>How many tokens can be guessed now, none or <see cref="MostGuessed"/>.</summary>
    public int Length => _place < 0 ? 0 : MostGuessed;

    /// <summary>The tokens that may come next. Valid until the next token is added.</summary>
    /// <param name="count">How many, at most <see cref="Length"/>.</param>
    public ReadOnlySpan<int> Guess(int count)
    {
        // A place near the end runs into the guess itself: "a b a b" goes on with "a b a b a".
        for (int i = 0; i < count; i++)
            _guess[i] = _place + i < _tokens.Count ? _tokens[_place + i] : _guess[_place + i - _tokens.Count];
        return _guess.AsSpan(0, count);
    }

    /// <summary>Follows the last token of the sequence, which its owner has just added.</summary>
    public void Follow()
    {
        int token = _tokens[^1],
            found = Find(_tokens.Count);
        if (_place >= 0)
        {
            bool isRight = _tokens[_place] == token;
            RightShare += Weight * ((isRight ? 1 : 0) - RightShare);
            if (isRight)
            {
                _agreed = ++_place;
                _misses = 0;
                return;
            }
        }
        _place = found >= 0 ? found : Nearby(token);
        if (found >= 0)
            (_agreed, _misses) = (found, 0);
    }

    // After a token that was not guessed: behind its next occurrence near the copied text, else one further, as if it
    // had replaced one token.
    private int Nearby(int token)
    {
        if (_agreed < 0 || ++_misses > Near)
            return _agreed = -1;
        int end = Math.Min(_agreed + Near, _tokens.Count - 1),
            near = CollectionsMarshal.AsSpan(_tokens)[_agreed..end].IndexOf(token);
        return near >= 0 ? _agreed + near + 1 : Math.Min(_agreed + _misses, _tokens.Count - 1);
    }

    // Where the last three of the first count tokens were followed before, or −1; notes that they are followed here.
    private int Find(int count)
    {
        if (count < 3)
            return -1;
        long key = ((long)_tokens[count - 3] << 42) ^ ((long)_tokens[count - 2] << 21) ^ _tokens[count - 1];
        ref int place = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, key, out bool isKnown);
        int before = isKnown ? place : -1;
        place = count;
        return before;
    }
}
