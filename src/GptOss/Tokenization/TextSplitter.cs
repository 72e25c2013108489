using System.Diagnostics;
using System.Text.RegularExpressions;

namespace GptOss.Tokenization;

/// <summary>
/// Cuts text into the pieces within which tokens may merge: the matches of a pattern, and what lies between them.
/// </summary>
/// <remarks>With no pattern the whole text is one piece. Thread-safe.</remarks>
internal sealed partial class TextSplitter
{
    /// <summary>The longest pattern that a file may bring; the published ones have a few hundred characters.</summary>
    public const int LongestPattern = 10_000;

    /// <summary>
    /// How long the matches of a pattern out of a file may take for a whole text, and a second more for each million of
    /// its characters; an honest match takes microseconds.
    /// </summary>
    private static readonly TimeSpan TextLimit = TimeSpan.FromSeconds(5);

    private readonly Regex? _pattern;
    private readonly string? _file;
    private readonly TimeSpan _limit;

    private TextSplitter(Regex? pattern, string? file = null, TimeSpan limit = default)
    {
        _pattern = pattern;
        _file = file;
        _limit = limit;
    }

    public static TextSplitter None { get; } = new(null);

    public static TextSplitter O200k { get; } = new(O200kRegex());

    /// <summary>GPT-2's pattern, which Hugging Face's ByteLevel step uses when it has to split by itself.</summary>
    public static TextSplitter Gpt2 { get; } = new(Gpt2Regex());

    /// <summary>The splitter by a pattern out of <paramref name="file"/>.</summary>
    /// <param name="pattern">A regular expression of .NET.</param>
    /// <param name="file">Where it comes from, for the error.</param>
    /// <param name="limit">How long its matches may take for a text; null for 5 s.</param>
    /// <exception cref="RegexParseException">.NET does not understand the pattern.</exception>
    public static TextSplitter For(string pattern, string file, TimeSpan? limit = null) =>
        pattern == O200kPattern
            ? O200k
            : new TextSplitter(
                new Regex(pattern, RegexOptions.CultureInvariant, limit ?? TextLimit),
                file,
                limit ?? TextLimit
            );

    /// <summary>
    /// The pattern as o200k's definition and the published <c>tokenizer.json</c> of gpt-oss spell it.
    /// </summary>
    public const string O200kPattern =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    // O200k's pattern with the letters of the contractions written out: to the reference's regex engine (?i:s) also
    // means the long s (U+017F), as Unicode folds case; to .NET's it does not. No other letter of them has a third
    // form.
    private const string Contraction = "(?:'(?:[sS\u017ftTmMdD]|[rRvV][eE]|[lL][lL]))?";
    private const string O200kForDotNet =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        + Contraction
        + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + Contraction
        + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    [GeneratedRegex(O200kForDotNet)]
    private static partial Regex O200kRegex();

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Gpt2Regex();

    /// <summary>The pieces of <paramref name="text"/> in order; together they are the text.</summary>
    /// <exception cref="CheckpointException">
    /// While walking: the pattern out of a file takes too long on this text.
    /// </exception>
    public Pieces Split(string text) => new(this, text);

    private CheckpointException TooSlow(Exception? e) =>
        new(
            _file!,
            $"expected a pattern that takes at most {_limit.TotalSeconds} s on one text, found one that takes longer. "
                + "Use the tokenizer.json that came with the model.",
            fieldName: "pre_tokenizer.pattern.Regex",
            inner: e
        );

    /// <summary>Walks the pieces of one text without allocating them.</summary>
    internal ref struct Pieces
    {
        private readonly TextSplitter _splitter;
        private readonly bool _beyondUnits;
        private ReadOnlySpan<char> _text; // what is left of the text
        private int _units; // how many of the units that the pattern sees are left
        private int _position; // the position of the first of those units
        private Regex.ValueMatchEnumerator _matches;
        private bool _moreMatches;
        private int _match; // length of a match that waits behind the piece before it
        private long _ticks; // of the clock that the pattern may still take

        public Pieces(TextSplitter splitter, string text)
        {
            _splitter = splitter;
            _moreMatches = splitter._pattern is not null;
            _beyondUnits = _moreMatches && CodePoints.BeyondUnits(text);
            string units = _beyondUnits ? CodePoints.ToUnits(text) : text;
            _text = text;
            _units = units.Length;
            _ticks = (long)((splitter._limit.TotalSeconds + 1e-6 * _units) * Stopwatch.Frequency);
            if (splitter._pattern is not null)
                _matches = splitter._pattern.EnumerateMatches(units);
        }

        public ReadOnlySpan<char> Current { get; private set; }

        public readonly Pieces GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_units == 0)
                return false;
            int units = NextLength();
            int length = _beyondUnits ? CodePoints.Length(_text, units) : units;
            Current = _text[..length];
            _text = _text[length..];
            _units -= units;
            _position += units;
            return true;
        }

        private int NextLength()
        {
            if (_match > 0)
            {
                int waiting = _match;
                _match = 0;
                return waiting;
            }
            while (NextMatch())
            {
                ValueMatch match = _matches.Current;
                if (match.Length == 0)
                    continue;
                if (match.Index == _position)
                    return match.Length;
                _match = match.Length;
                return match.Index - _position;
            }
            return _units;
        }

        private bool NextMatch()
        {
            if (!_moreMatches || _splitter._file is null)
                return _moreMatches && (_moreMatches = _matches.MoveNext());
            long start = Stopwatch.GetTimestamp();
            try
            {
                _moreMatches = _matches.MoveNext();
            }
            catch (RegexMatchTimeoutException e)
            {
                throw _splitter.TooSlow(e);
            }
            _ticks -= Stopwatch.GetTimestamp() - start;
            return _ticks >= 0 ? _moreMatches : throw _splitter.TooSlow(null);
        }
    }
}
