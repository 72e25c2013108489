// Over 300 lines: a list of sixty types.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>Asks for a value of a type; no value where the answer was cut by its length.</summary>
internal delegate Task<(ChatResponse Response, object? Value)> Ask(
    IChatClient client,
    string question,
    ChatOptions options,
    CancellationToken stop
);

/// <summary>Sixty types as programs have them, with the annotations that the documentation advises.</summary>
internal static class DotNetTypes
{
    public static IReadOnlyList<(string Type, Ask Ask)> All { get; } =
    [
        Of<Flag>(),
        Of<SmallSigned>(),
        Of<SmallUnsigned>(),
        Of<Short>(),
        Of<UnsignedShort>(),
        Of<Whole>(),
        Of<UnsignedWhole>(),
        Of<Long>(),
        Of<UnsignedLong>(),
        Of<Single>(),
        Of<Double>(),
        Of<Money>(),
        Of<Letter>(),
        Of<Words>(),
        Of<Identity>(),
        Of<Day>(),
        Of<Hour>(),
        Of<Moment>(),
        Of<Instant>(),
        Of<Span>(),
        Of<Link>(),
        Of<Release>(),
        Of<Bytes>(),
        Of<Coloured>(),
        Of<Numbered>(),
        Of<Flags>(),
        Of<Perhaps>(),
        Of<PerhapsText>(),
        Of<Pair>(),
        Of<Positional>(),
        Of<PositionalStruct>(),
        Of<Outer>(),
        Of<Tree>(),
        Of<Chain>(),
        Of<Shop>(),
        Of<Names>(),
        Of<Numbers>(),
        Of<Matrix>(),
        Of<Sets>(),
        Of<ByName>(),
        Of<ByNameNested>(),
        Of<Grouped>(),
        Of<Named>(),
        Of<Ordered>(),
        Of<RequiredMembers>(),
        Of<Defaults>(),
        Of<Ignoring>(),
        Of<Bounded>(),
        Of<Exclusive>(),
        Of<Lengths>(),
        Of<Patterned>(),
        Of<Mail>(),
        Of<Allowed>(),
        Of<Denied>(),
        Of<Counted>(),
        Of<Described>(),
        Of<Anything>(),
        Of<Generic<Pair>>(),
        Of<Shape>(),
        Of<Conversation>(),
    ];

    private static (string, Ask) Of<T>() => (typeof(T).Name, async (client, question, options, stop) =>
        {
            ChatResponse<T> response = await client.GetResponseAsync<T>(question, options, cancellationToken: stop);
            return (response, response.FinishReason == ChatFinishReason.Length ? null : response.Result);
        });

    internal sealed record Flag(bool Yes);

    internal sealed record SmallSigned
    {
        [Range(sbyte.MinValue, sbyte.MaxValue)]
        public sbyte Value { get; init; }
    }

    internal sealed record SmallUnsigned
    {
        [Range(byte.MinValue, byte.MaxValue)]
        public byte Value { get; init; }
    }

    internal sealed record Short
    {
        [Range(short.MinValue, short.MaxValue)]
        public short Value { get; init; }
    }

    internal sealed record UnsignedShort
    {
        [Range(ushort.MinValue, ushort.MaxValue)]
        public ushort Value { get; init; }
    }

    internal sealed record Whole
    {
        [Range(int.MinValue, int.MaxValue)]
        public int Value { get; init; }
    }

    internal sealed record UnsignedWhole
    {
        [Range(typeof(uint), "0", "4294967295")]
        public uint Value { get; init; }
    }

    internal sealed record Long(long Value);

    internal sealed record UnsignedLong
    {
        [Range(typeof(ulong), "0", "18446744073709551615")]
        public ulong Value { get; init; }
    }

    internal sealed record Single(float Value);

    internal sealed record Double(double Value);

    internal sealed record Money(decimal Amount, string Currency);

    internal sealed record Letter(char Value);

    internal sealed record Words(string First, string Second);

    internal sealed record Identity(Guid Id);

    internal sealed record Day(DateOnly Date);

    internal sealed record Hour(TimeOnly Time);

    internal sealed record Moment(DateTime Time);

    internal sealed record Instant(DateTimeOffset Time);

    internal sealed record Span(TimeSpan Length);

    internal sealed record Link(Uri Address);

    internal sealed record Release(Version Version);

    internal sealed record Bytes
    {
        [Base64String]
        public byte[] Data { get; init; } = [];
    }

    [JsonConverter(typeof(JsonStringEnumConverter<Colour>))]
    internal enum Colour
    {
        Red,
        Green,
        ReddishBlue,
    }

    internal sealed record Coloured(Colour Colour, Colour? Other);

    internal enum Grade
    {
        Low = 1,
        High = 2,
    }

    internal sealed record Numbered
    {
        [Range(1, 2)]
        public Grade Grade { get; init; }
    }

    [Flags]
    internal enum Days
    {
        None = 0,
        Saturday = 1,
        Sunday = 2,
    }

    internal sealed record Flags
    {
        [RegularExpression("^(Saturday|Sunday)(, (Saturday|Sunday))*$")] // for .NET's schema it is any string
        public Days Days { get; init; }
    }

    internal sealed record Perhaps(long? Count, bool? Yes, DateOnly? Date, Guid? Id, double? Share);

    internal sealed record PerhapsText(string? Text, Uri? Link, Words? Words);

    internal sealed record Pair(string Key, long Value);

    internal sealed record Positional(string Name, long Count = 3, bool IsOpen = true);

    internal readonly record struct PositionalStruct(double X, double Y);

    internal sealed record Outer(Pair Pair, Coloured Colours, Perhaps Perhaps, PositionalStruct Point);

    internal sealed record Tree(string Name, [property: MaxLength(2)] IReadOnlyList<Tree> Children);

    internal sealed record Chain(long Value, Chain? Next);

    internal sealed record Shop([property: MaxLength(3)] List<Item> Items, Money Total);

    internal sealed record Item(string Name, decimal Price, Colour Colour, [property: MaxLength(2)] string[] Tags);

    internal sealed record Names([property: MaxLength(5)] List<string> Values);

    internal sealed record Numbers(
        [property: MaxLength(5)] long[] Values,
        [property: MaxLength(5)] List<double> Shares
    );

    internal sealed record Matrix([property: MaxLength(3)] long[][] Rows);

    internal sealed record Sets(
        [property: MaxLength(3)] HashSet<string> Texts,
        [property: MaxLength(3)] ISet<long> Ids
    );

    internal sealed record ByName(Dictionary<string, long> Values);

    internal sealed record ByNameNested(IReadOnlyDictionary<string, Pair> Pairs);

    internal sealed record Grouped(Dictionary<string, List<bool>> Groups);

    internal sealed record Named([property: JsonPropertyName("the-value")] long Value);

    internal sealed record Ordered
    {
        [JsonPropertyOrder(2)]
        public long Second { get; init; }

        [JsonPropertyOrder(1)]
        public long First { get; init; }
    }

    internal sealed record RequiredMembers
    {
        public required string Name { get; init; }
        public required long Count { get; init; }
        public string? Note { get; init; }
    }

    internal sealed record Defaults
    {
        [DefaultValue("none")]
        public string Text { get; init; } = "none";

        [DefaultValue(7L)]
        public long Count { get; init; } = 7;
    }

    internal sealed record Ignoring
    {
        public long Kept { get; init; }

        [JsonIgnore]
        public long Left { get; init; }
    }

    internal sealed record Bounded
    {
        [Range(1, 5)]
        public int Stars { get; init; }

        [Range(0.0, 1.0)]
        public double Share { get; init; }

        [Range(typeof(decimal), "0.01", "999.99")]
        public decimal Price { get; init; }
    }

    internal sealed record Exclusive
    {
        [Range(typeof(double), "0", "1", MinimumIsExclusive = true, MaximumIsExclusive = true)]
        public double Share { get; init; }
    }

    internal sealed record Lengths
    {
        [StringLength(10, MinimumLength = 2)]
        public string Name { get; init; } = "";

        [MinLength(1), MaxLength(4)]
        public string Code { get; init; } = "";

        [Length(1, 3)]
        public List<long> Values { get; init; } = [];
    }

    internal sealed record Patterned
    {
        [RegularExpression("^[A-Z]{2}-[0-9]{4}$")]
        public string Code { get; init; } = "";
    }

    internal sealed record Mail
    {
        [EmailAddress]
        public string Address { get; init; } = "";

        [Url]
        public string Page { get; init; } = "";
    }

    internal sealed record Allowed
    {
        [AllowedValues("small", "large")]
        public string Size { get; init; } = "";
    }

    internal sealed record Denied
    {
        [DeniedValues("root", "admin")]
        public string User { get; init; } = "";
    }

    internal sealed record Counted
    {
        [MinLength(2), MaxLength(3)]
        public Pair[] Pairs { get; init; } = [];
    }

    [Description("A thing that is described.")]
    internal sealed record Described([property: Description("How many there are.")] long Count);

    internal sealed record Anything(JsonElement First, JsonNode? Second, object? Third);

    internal sealed record Generic<T>(T Value, [property: MaxLength(2)] List<T> More);

    [JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
    [JsonDerivedType(typeof(Circle), "circle")]
    [JsonDerivedType(typeof(Square), "square")]
    internal abstract record Shape(string Name);

    internal sealed record Circle(string Name, double Radius) : Shape(Name);

    internal sealed record Square(string Name, double Side) : Shape(Name);

    internal sealed record Conversation([property: MaxLength(3)] List<Turn> Turns, Colour Mood, DateTimeOffset At);

    internal sealed record Turn(string Speaker, string Text, TimeSpan After);
}
