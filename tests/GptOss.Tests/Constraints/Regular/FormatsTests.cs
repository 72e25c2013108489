using System.Net;
using System.Net.Mail;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Schema;
using System.Xml;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Regular;

public sealed class FormatsTests
{
    private static readonly JsonSerializerOptions _options = new(JsonSerializerOptions.Web);

    private static readonly Dictionary<string, Func<string, bool>> _readers = new()
    {
        ["date"] = Reads<DateOnly>,
        ["date-time"] = text => Reads<DateTimeOffset>(text) && Reads<DateTime>(text),
        ["time"] = Reads<TimeOnly>,
        ["duration"] = text => text.EndsWith('W') || XmlReads(text),
        ["uuid"] = Reads<Guid>,
        ["ipv4"] = text => IPAddress.TryParse(text, out IPAddress? address) && address.ToString() == text,
        ["ipv6"] = text =>
            IPAddress.TryParse(text, out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetworkV6,
        ["email"] = text => MailAddress.TryCreate(text, out MailAddress? address) && address.Address == text,
        ["hostname"] = text => Uri.CheckHostName(text) != UriHostNameType.Unknown,
        ["uri"] = text => Uri.TryCreate(text, UriKind.Absolute, out _) && Reads<Uri>(text),
        ["uri-reference"] = text => Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out _),
        ["byte"] = text => Convert.ToBase64String(Convert.FromBase64String(text)) == text,
    };

    public static TheoryData<string> Readers => [.. _readers.Keys];

    [Theory, MemberData(nameof(Readers))]
    public void Random_members_are_read_by_dotnet(string format)
    {
        CodePointDfa dfa = Formats.Find(format)!;
        var random = new Random(1);
        for (int draw = 0; draw < (Long.IsLong ? 200_000 : 3_000); draw++)
        {
            string text = RandomMembers.Draw(dfa, random, turn: random.Next(80));
            Assert.True(_readers[format](text), text);
        }
    }

    [Fact]
    public void What_dotnet_writes_belongs_to_the_formats()
    {
        var random = new Random(2);
        for (int draw = 0; draw < 2_000; draw++)
        {
            var time = new DateTime(random.NextInt64(DateTime.MaxValue.Ticks), DateTimeKind.Utc);
            AssertWritten("date", DateOnly.FromDateTime(time));
            AssertWritten("time", TimeOnly.FromDateTime(time));
            if (time.Year is >= 2 and <= 9998)
            {
                AssertWritten("date-time", time);
                AssertWritten(
                    "date-time",
                    new DateTimeOffset(time.Ticks, TimeSpan.FromMinutes(random.Next(-840, 841)))
                );
            }
            AssertWritten(
                "uuid",
                Guid.CreateVersion7(new DateTimeOffset(time.Year < 1971 ? DateTime.UnixEpoch : time))
            );
            var bytes = new byte[random.Next(20)];
            random.NextBytes(bytes);
            AssertWritten("byte", bytes);
            var address = new byte[16];
            random.NextBytes(address.AsSpan(0, random.Next(8)));
            address[15] = 1;
            string ipv6 = new IPAddress(address).ToString();
            Assert.True(ipv6.Contains('.') || Formats.Find("ipv6")!.Accepts(ipv6), ipv6);
        }
    }

    [Theory]
    [InlineData(
        "date",
        "2024-02-29|2000-02-29|0001-01-01|9999-12-31",
        "2023-02-29|1900-02-29|0000-01-01|2024-04-31|2024-00-10|2024-1-1|2024-13-01"
    )]
    [InlineData(
        "date-time",
        "2024-02-29T23:59:59Z|2024-01-01T00:00:00.1234567+14:00",
        "2024-01-01T00:00:00|2024-01-01t00:00:00Z|2024-01-01T24:00:00Z|2016-12-31T23:59:60Z|2024-01-01T00:00:00+14:01|0001-01-01T00:00:00Z|2024-01-01T00:00:00.12345678Z|2023-02-29T00:00:00Z"
    )]
    [InlineData("time", "00:00:00|23:59:59.5", "24:00:00|12:00|12:00:00Z|12:00:60")]
    [InlineData("duration", "P1D|PT5M|P1Y2M3DT4H5M6S|P3W|P0D", "P|PT|1D|P1S|P1Y2D|P1D2W|PT1H2S|P1.5D|p1d")]
    [InlineData(
        "uuid",
        "2EB8AA08-aa98-11ea-b4aa-73b441d16380",
        "2eb8aa08aa9811eab4aa73b441d16380|2eb8aa08-aa98-11ea-b4aa-73b441d1638|{2eb8aa08-aa98-11ea-b4aa-73b441d16380}"
    )]
    [InlineData("ipv4", "0.0.0.0|255.255.255.255|127.0.0.1", "256.0.0.1|01.2.3.4|1.2.3|1.2.3.4.5")]
    [InlineData(
        "ipv6",
        "::|::1|1::|1:2:3:4:5:6:7:8|1:2:3::8|1::4:5:6:7:8|1:2:3:4:5:6:7::",
        "1:2:3:4:5:6:7|1::2::3|:1|1:2:3:4:5:6:7:8:9|::1.2.3.4|fe80::1%eth0|12345::|1:2:3:4:5:6:7:8::"
    )]
    [InlineData(
        "email",
        "a@b.co|joe.bloggs+x@mail.example.com",
        "a|a@b|.a@b.co|a..b@b.co|a.@b.co|a@b.1|a@-b.co|\"a b\"@b.co"
    )]
    [InlineData("hostname", "a|localhost|www.example.com|a-b.c1", "-a|a-|a..b|a_b|a--b|.a|a.|")]
    [InlineData(
        "uri",
        "http://a|https://example.com:8080/a/b?q=1&r=%20#f|ftp://1.2.3.4/x|file:///C:/a/b.txt|file:///|file://host/a/b|mailto:a.b@c.de|urn:isbn:0451450523|tel:+1-816-555-1212|data:text/plain;base64,SGk=|tag:a,2024:b",
        "/a|a|http:|//a/b|http://a b|http://a:65536/|http://a/%zz|:a|http://a/\\b|HTTP://a"
    )]
    [InlineData("uri-reference", "/a/b?c#d|a/b|#f|?q|../a|https://a/b|", "//a/b\\|a b|a:b|/a\\b|%zz|http://[a")]
    [InlineData("json-pointer", "|/|/a/0|/a~0b~1c|/é", "a|/~2|/a~")]
    [InlineData("relative-json-pointer", "0|1/a|0#|10/a/b", "/a|01|#|-1/a|0#/a")]
    [InlineData("byte", "|SGk=|SGVs|SA==", "SGk|SGl=|SB==|SG k=|SGk=SGk=|S===")]
    public void A_format_means_what_the_specification_says(string format, string members, string refused)
    {
        CodePointDfa dfa = Formats.Find(format)!;
        Assert.All(members.Split('|'), text => Assert.True(dfa.Accepts(text), text));
        Assert.All(refused.Split('|'), text => Assert.False(dfa.Accepts(text), text));
    }

    [Theory]
    [InlineData("regex")]
    [InlineData("iri")]
    [InlineData("password")]
    [InlineData("")]
    public void Any_other_format_is_an_annotation(string format) => Assert.Null(Formats.Find(format));

    [Fact]
    public void A_label_is_at_most_60_long_and_a_mailbox_64()
    {
        string label = new('a', 60);
        Assert.All("{0}.{0}.{0}.{0}|{0}".Split('|'), text => Assert.True(Accepts("hostname", text)));
        Assert.All("{0}a|a.{0}b|{0}.{0}.{0}.{0}.a".Split('|'), text => Assert.False(Accepts("hostname", text)));
        Assert.All("{0}abcd@{0}.de|a@{0}.{0}.{0}.de".Split('|'), text => Assert.True(Accepts("email", text)));
        Assert.All("{0}abcde@{0}.de|a@{0}a.de|a@a.a.a.a.de".Split('|'), text => Assert.False(Accepts("email", text)));
        Assert.All("http://{0}.{0}.{0}.{0}.{0}/".Split('|'), text => Assert.True(Accepts("uri", text)));
        Assert.False(Accepts("uri", "http://{0}a/"));

        bool Accepts(string format, string text) => Formats.Find(format)!.Accepts(text.Replace("{0}", label));
    }

    [Theory]
    [InlineData(
        typeof(TimeSpan),
        "00:00:00|-10669999.23:59:59.9999999|1.02:03:04",
        "24:00:00|10670000.00:00:00|00:60:00"
    )]
    [InlineData(typeof(Version), "1.2|1.2.3.4|999999999.0", "1|1.2.3.4.5|9999999999.0")]
    public void A_pattern_that_dotnet_writes_is_narrowed_to_what_it_reads(Type type, string members, string refused)
    {
        string pattern = _options.GetJsonSchemaAsNode(type)["pattern"]!.GetValue<string>();
        CodePointDfa dfa = Formats.FindNarrowed(pattern)!;
        Assert.All(members.Split('|'), text => Assert.True(dfa.Accepts(text), text));
        Assert.All(refused.Split('|'), text => Assert.False(dfa.Accepts(text), text));
        Assert.True(dfa.Minus(RandomPatterns.Search(pattern), new()).IsEmpty, "narrowed means a part of the pattern");
        var random = new Random(3);
        for (int draw = 0; draw < 3_000; draw++)
            Assert.NotNull(JsonSerializer.Deserialize($"\"{RandomMembers.Draw(dfa, random)}\"", type));
    }

    private static void AssertWritten<T>(string format, T value)
    {
        string text = JsonSerializer.Deserialize<string>(JsonSerializer.Serialize(value))!;
        Assert.True(Formats.Find(format)!.Accepts(text), text);
    }

    private static bool Reads<T>(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(JsonSerializer.Serialize(text)) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // xs:duration is what RFC 3339 has but for weeks; .NET's type overflows beyond some years.
    private static bool XmlReads(string text)
    {
        try
        {
            _ = XmlConvert.ToTimeSpan(text);
            return true;
        }
        catch (OverflowException)
        {
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
