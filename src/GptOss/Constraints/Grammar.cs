using GptOss.Constraints.Walkers;

namespace GptOss.Constraints;

/// <summary>
/// A compiled grammar, shared by all who hold texts to it. What is worked out of it is kept and bounded in size; no
/// result depends on what is kept.
/// </summary>
/// <remarks>
/// Everything but <see cref="Start"/> is used under the lock of <see cref="Gate"/>. Configurations are objects that
/// hold what they need, so a text in progress goes on when the rest is forgotten: its configuration is taken in again.
/// </remarks>
internal sealed class Grammar
{
    /// <summary>The most bytes of configurations, rows and masks of a grammar.</summary>
    public const long MostBytes = 32L << 20;

    // What a closure takes in time and memory beside its readings.
    private const int StepsOfClosure = 40;

    private readonly Ledger _ledger = new();
    private readonly SymbolSet _symbols = new();
    private readonly Dictionary<SymbolSet, ushort[]> _columns = [];
    private readonly CallersTable _callers;
    private readonly Closure _closure;
    private readonly List<Walker> _walkers;
    private readonly Dictionary<Reading[], Configuration> _configurations = new(ReadingSets.Comparer);
    private readonly List<Configuration> _byId = [];
    private readonly long _mostBytes;
    private int _generation;
    private int _work;
    private long _most = StepLimit.Mask;
    private long _steps;
    private long _known;

    /// <param name="root">The rule of the whole text.</param>
    /// <param name="isCompact">Whether no white space comes between the tokens of JSON.</param>
    /// <param name="budget">The work that may be done; null for the usual one.</param>
    /// <param name="mostBytes">The most bytes that are kept.</param>
    /// <exception cref="LimitException">The grammar is larger than what is compiled.</exception>
    public Grammar(Rule root, bool isCompact, CompileBudget? budget = null, long mostBytes = MostBytes)
    {
        _mostBytes = mostBytes;
        budget ??= new CompileBudget();
        var builder = new WalkerBuilder(isCompact, _ledger, budget);
        Callee callee = builder.Build(root);
        _walkers = builder.Walkers;
        _callers = new CallersTable(_ledger);
        _closure = new Closure(_callers, builder.Rules);
        _closure.Clear(null, long.MaxValue, long.MaxValue, budget);
        var end = new EndWalker { Id = _ledger.NextId() };
        _closure.Call(callee, new Reading(end, Callers.None, null, null, 0));
        Start = Intern(_closure.Finish());
    }

    /// <summary>Held by whoever steps or computes masks.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The configuration of the empty text.</summary>
    public Configuration Start { get; }

    /// <summary>How often everything that was kept has been forgotten.</summary>
    public int Generation => _generation;

    /// <summary>About how many bytes are kept, with what the grammar was compiled to.</summary>
    public long Bytes => _ledger.Bytes + _ledger.CompiledBytes;

    /// <summary>About how many bytes are kept of what can be made again.</summary>
    public long MadeBytes => _ledger.Bytes;

    /// <summary>
    /// How many steps the last work took, with those that it was spared because their results were known: at least as
    /// many as if nothing had been known.
    /// </summary>
    public long Steps => _steps + _known;

    /// <summary>Begins work whose steps are limited together.</summary>
    /// <param name="most">The most steps of it.</param>
    public void Begin(long most = StepLimit.Mask) => (_work, _most, _steps, _known) = (_work + 1, most, 0, 0);

    /// <summary>
    /// Begins the work anew with nothing known, where what was known may have kept it within the limit. So whether it
    /// takes too many steps depends on the text alone, and not on what is kept.
    /// </summary>
    /// <returns>Whether the work is to be done again.</returns>
    public bool BeginAfresh()
    {
        if (_known == 0 || Steps <= _most)
            return false;
        Forget();
        Begin(_most);
        return true;
    }

    /// <summary>Counts the steps of what is known of a configuration, once in a work.</summary>
    public void Charge(Configuration configuration)
    {
        if (configuration.Work == _work)
            return;
        configuration.Work = _work;
        _known += configuration.Steps;
    }

    /// <summary>A configuration as it is known now, also one that was forgotten.</summary>
    public Configuration Current(Configuration configuration) =>
        configuration.Generation == _generation ? configuration : Intern(configuration.Readings);

    /// <summary>The configuration of a number.</summary>
    public Configuration Numbered(int id) => _byId[id - 1];

    /// <summary>The configuration of some of the readings of another.</summary>
    public Configuration Part(ReadOnlySpan<Reading> readings) => Intern(readings);

    /// <summary>The number of the configuration behind a symbol, as far as it depends on no recorded text.</summary>
    /// <param name="configuration">One of this generation.</param>
    /// <param name="symbol">A byte, or 256 plus the number of a marker.</param>
    /// <returns>
    /// <see cref="Configuration.Dead"/>, <see cref="Configuration.Ask"/>, or a configuration that after a recorded text
    /// no longer knows which texts were used.
    /// </returns>
    public int Next(Configuration configuration, int symbol)
    {
        if (configuration.Known(symbol) is var known and not Configuration.Unknown)
            return known;
        int target = Step(configuration, symbol, recorded: null);
        if (!configuration.TryKeep(symbol, target))
        {
            EnsureRow(configuration);
            configuration.TryKeep(symbol, target);
        }
        return target;
    }

    /// <summary>The number of the configuration behind a symbol, with the text that was recorded before it.</summary>
    public int Next(Configuration configuration, int symbol, RecordedByte? recorded)
    {
        Charge(configuration);
        return configuration.IsPending
            ? Step(configuration, symbol, RecordedText.Respelled(recorded?.ToArray() ?? []))
            : Next(configuration, symbol);
    }

    /// <summary>Makes the row of a configuration if it has none.</summary>
    public void EnsureRow(Configuration configuration)
    {
        if (configuration.Columns is not null)
            return;
        _symbols.Clear();
        foreach (ref readonly Reading reading in configuration.Readings.AsSpan())
            reading.Walker.AddSymbols(reading, _symbols);
        if (!_columns.TryGetValue(_symbols, out ushort[]? columns))
        {
            _columns.Add(_symbols.Copy(), columns = _symbols.Columns());
            _ledger.Take(200 + 2 * SymbolSet.Symbols);
        }
        configuration.MakeRow(columns, _symbols.Count);
        _ledger.Take(24 + 4 * _symbols.Count);
    }

    /// <summary>The only symbol that may follow; -1 where there are several or none.</summary>
    /// <param name="configuration">One of this generation.</param>
    public int Forced(Configuration configuration)
    {
        if (configuration.Forced is { } known)
            return known;
        int forced = -1;
        Charge(configuration);
        EnsureRow(configuration);
        for (int symbol = 0; symbol < SymbolSet.Symbols; symbol++)
        {
            if (configuration.Columns![symbol] == 0 || Next(configuration, symbol) == Configuration.Dead)
                continue;
            if (forced >= 0)
                return (configuration.Forced = -1).Value;
            forced = symbol;
        }
        return (configuration.Forced = forced).Value;
    }

    /// <summary>The configuration that allows the same tokens and stands for many.</summary>
    public Configuration Representative(Configuration configuration)
    {
        if (configuration.Representative is { } known)
            return known;
        var replaced = new Reading[configuration.Readings.Length];
        for (int i = 0; i < replaced.Length; i++)
        {
            Reading reading = configuration.Readings[i];
            replaced[i] = reading.Walker.Representative(reading) with
            {
                Callers = reading.Callers == Callers.None ? reading.Callers : _callers.Representative(reading.Callers),
            };
        }
        Array.Sort(replaced);
        Configuration representative = Intern(replaced.AsSpan(0, CallersTable.Unique(replaced)));
        representative.Representative = representative;
        return configuration.Representative = representative;
    }

    /// <summary>Counts the bytes of a mask that is kept.</summary>
    public void Take(long bytes) => _ledger.Take(bytes);

    /// <summary>Forgets what is kept if it is too much. Called between steps, never within a walk.</summary>
    public void Trim()
    {
        if (_ledger.Bytes > _mostBytes)
            Forget();
    }

    /// <summary>Forgets all that can be made again. Called between steps, never within a walk.</summary>
    public void Forget()
    {
        _generation++;
        _byId.Clear();
        _columns.Clear();
        _configurations.Clear();
        _callers.Forget();
        foreach (Walker walker in _walkers)
            walker.Forget();
        _ledger.Clear();
    }

    private int Step(Configuration configuration, int symbol, byte[]? recorded)
    {
        Charge(configuration);
        _closure.Clear(recorded, _most - _steps, _most);
        _closure.Spend(StepsOfClosure + configuration.Readings.Length);
        foreach (ref readonly Reading reading in configuration.Readings.AsSpan())
            reading.Walker.Step(reading, symbol, _closure);
        ReadOnlySpan<Reading> readings = _closure.Finish();
        _steps += _closure.Steps;
        if (recorded is null)
            configuration.Steps += _closure.Steps;
        if (_closure.AsksForText)
            return Configuration.Ask;
        return readings.IsEmpty ? Configuration.Dead : Intern(readings).Id;
    }

    private Configuration Intern(ReadOnlySpan<Reading> readings)
    {
        var lookup = _configurations.GetAlternateLookup<ReadOnlySpan<Reading>>();
        if (lookup.TryGetValue(readings, out Configuration? configuration))
            return configuration;
        Reading[] kept = readings.ToArray();
        configuration = new Configuration(_byId.Count + 1, _generation, kept) { Work = _work };
        _byId.Add(configuration);
        _configurations.Add(kept, configuration);
        _ledger.Take(250 + 40L * kept.Length);
        return configuration;
    }
}
