using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using GptOss.Tests.Constraints;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>What an answer can be held to: it becomes a grammar and a machine, which is asked something.</summary>
internal abstract class GrammarInput : FuzzInput
{
    public override int Cases => 400;

    /// <summary>The bound of a grammar is its states, which are many for a short text.</summary>
    public override long MostBytes(int length) => 200L << 20;

    protected static bool Asked(GptOssGrammar grammar)
    {
        grammar.Accepts("{\"id\":1}");
        return true;
    }
}

/// <summary>A JSON Schema, to the letter and relaxed.</summary>
internal sealed class SchemaInput : GrammarInput
{
    public override string Name => "json-schema";

    public override byte[] Draw(Random random)
    {
        string text = new WildSchemas(random).Schema().ToJsonString();
        return random.Next(2) == 0
            ? JsonDamage.Damage(Encoding.UTF8.GetBytes(text), random)
            : Encoding.UTF8.GetBytes(TextDamage.Damage(text, random));
    }

    public override bool Reads(byte[] input)
    {
        JsonElement schema;
        try
        {
            schema = JsonElement.Parse(input);
        }
        catch (JsonException)
        {
            return false; // not JSON: that is the caller's to read
        }
        bool isRead = false;
        SchemaException? refusal = null;
        foreach (bool relax in (bool[])[false, true])
            try
            {
                isRead |= Asked(GptOssGrammar.JsonSchema(schema, new() { Relax = relax }));
            }
            catch (SchemaException error)
            {
                refusal = error;
            }
        return isRead || refusal is null ? isRead : throw refusal;
    }
}

/// <summary>A regular expression, in UTF-16, which need not be text.</summary>
internal sealed class PatternInput : GrammarInput
{
    private static readonly string[] Patterns =
    [
        "^[a-z]{1,4}$",
        @"^\d{3}-[A-Z]{2,4}$",
        "^(?!00)[0-9]{2,5}$",
        @"^(?:[\w.-]+@)?(\p{L}|\u{1F600}){0,30}$",
        "(a|ab)*c{2,}$|^x",
    ];
    public override string Name => "pattern";

    public override byte[] Draw(Random random) =>
        [.. MemoryMarshal.AsBytes(TextDamage.Damage(Any(Patterns, random), random).AsSpan())];

    public override bool Reads(byte[] input) =>
        Asked(GptOssGrammar.Regex(MemoryMarshal.Cast<byte, char>(input).ToString()));
}

/// <summary>A grammar in GBNF, in UTF-16, which need not be text.</summary>
internal sealed class GbnfInput : GrammarInput
{
    private static readonly string[] Grammars =
    [
        "root ::= \"a\" item{1,3} # a comment\nitem ::= [a-z^] | (\"x\" root)?\n",
        "root ::= value\nvalue ::= \"[\" (value (\",\" value)*)? \"]\" | [0-9]+\n",
    ];
    public override string Name => "gbnf";

    public override byte[] Draw(Random random) =>
        [.. MemoryMarshal.AsBytes(TextDamage.Damage(Any(Grammars, random), random).AsSpan())];

    public override bool Reads(byte[] input) =>
        Asked(GptOssGrammar.Gbnf(MemoryMarshal.Cast<byte, char>(input).ToString()));
}
