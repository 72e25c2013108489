using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Requests;

/// <summary>The names under which the served model is asked for.</summary>
/// <param name="id">The name that is listed first.</param>
/// <param name="others">Further names that are known, and not listed.</param>
/// <param name="aliases">Names that the host gave, which are listed; <c>*</c> takes every name.</param>
internal sealed class ModelNames(string id, IEnumerable<string> others, IEnumerable<string> aliases)
{
    private const string AnyName = "*";

    private readonly string[] _aliases = [.. aliases.Where(alias => alias != AnyName && alias != id).Distinct()];
    private readonly HashSet<string> _others = [.. others];
    private readonly bool _takesAll = aliases.Contains(AnyName);

    /// <summary>The name that is listed first.</summary>
    public string Id => id;

    /// <summary>The names that are listed: the first and the aliases.</summary>
    public IReadOnlyList<string> Listed => [id, .. _aliases];

    /// <summary>Whether the served model is meant by a name.</summary>
    public bool Knows(string name)
    {
        const string Owner = "openai/";
        if (_takesAll || name == id || _aliases.Contains(name) || _others.Contains(name))
            return true;
        return name.StartsWith(Owner, StringComparison.Ordinal)
            && name[Owner.Length..] is var bare
            && (bare == id || _others.Contains(bare));
    }

    /// <summary>The name in a request; the first name where the request has none.</summary>
    /// <exception cref="FaultException">The name means no model of this server.</exception>
    public string Read(WireValue field)
    {
        string name = field.Text() ?? id;
        if (name.Length == 0)
            throw field.WrongValue("the name of a model", "empty");
        return Knows(name) ? name : throw new FaultException(Unknown(name));
    }

    /// <summary>The fault of a name that means no model of this server.</summary>
    public Fault Unknown(string name) =>
        new(
            FaultKind.NotFound,
            "model_not_found",
            $"There is no model {Fault.Quote(name)} here; there is {string.Join(", ", Listed.Select(Printable.Name))}.",
            "model"
        );
}
