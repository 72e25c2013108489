using System.Globalization;
using Xunit.v3;

namespace GptOss.Tests;

/// <summary>Marks the tests that show a promise of docs/reliability.md; their figures are told by its number.</summary>
/// <remarks><c>./build.sh promises 11</c> runs those of P11.</remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
internal sealed class PromiseAttribute(int number) : Attribute, ITraitAttribute
{
    public const string Trait = "promise";

    public int Number { get; } = number;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        [new(Trait, $"P{Number.ToString(CultureInfo.InvariantCulture)}")];
}
