using System.Net;
using System.Text;
using System.Text.Json;
using GptOss.AspNetCore.State;

namespace GptOss.AspNetCore.Tests;

/// <summary>What is kept of stored answers, and what goes first.</summary>
public sealed class ResponseStoreTests
{
    private const long Mebibyte = 1 << 20;

    private readonly SetClock _clock = new();

    [Trait("fault", "F110")]
    [Fact]
    public void Three_thousand_answers_of_a_megabyte_stay_within_the_bytes()
    {
        ResponseStore store = NewStore(most: 10_000, mostBytes: 64 * Mebibyte);
        for (int i = 0; i < 3000; i++)
        {
            store.Add(Answer(i, bytes: (int)Mebibyte));
            Assert.InRange(store.Bytes, 1, 64 * Mebibyte);
        }
        Assert.Equal(63, store.Count); // each takes a little more than its texts
        Assert.NotNull(store.Find(null, Id(2999)));
        Assert.Null(store.Find(null, Id(2936)));
    }

    [Fact]
    public void The_one_that_was_used_least_recently_goes_first()
    {
        ResponseStore store = NewStore(most: 3);
        for (int i = 0; i < 3; i++)
            store.Add(Answer(i));
        Assert.NotNull(store.Find(null, Id(0)));
        store.Add(Answer(3));
        Assert.Equal(
            [true, false, true, true],
            Enumerable.Range(0, 4).Select(i => store.Find(null, Id(i)) is not null)
        );
    }

    [Fact]
    public void A_conversation_keeps_its_beginning_as_long_as_its_end()
    {
        ResponseStore store = NewStore(most: 4);
        store.Add(Answer(0));
        store.Add(Answer(1, parent: 0));
        store.Add(Answer(2));
        store.Add(Answer(3, parent: 1));
        store.Add(Answer(4));
        Assert.Null(store.Find(null, Id(2)));
        Assert.Equal([Number(0), Number(1), Number(3)], store.Chain(null, Id(3))!.Select(answer => answer.Number));
    }

    [Fact]
    public void A_conversation_without_its_beginning_is_not_found()
    {
        ResponseStore store = NewStore();
        store.Add(Answer(0));
        store.Add(Answer(1, parent: 0));
        Assert.True(store.Remove(null, Id(0)));
        Assert.False(store.Remove(null, Id(0)));
        Assert.Null(store.Chain(null, Id(1)));
        Assert.NotNull(store.Find(null, Id(1)));
    }

    [Fact]
    public void Nobody_finds_what_is_of_another_key()
    {
        ResponseStore store = NewStore();
        store.Add(Answer(0) with { Scope = "a" });
        Assert.Null(store.Find("b", Id(0)));
        Assert.Null(store.Find(null, Id(0)));
        Assert.Null(new StoredItemFinder(store, "b", Mebibyte).Find($"rs_{Number(0)}"));
        Assert.False(store.Remove("b", Id(0)));
        Assert.NotNull(store.Find("a", Id(0)));
        Assert.NotNull(new StoredItemFinder(store, "a", Mebibyte).Find($"rs_{Number(0)}"));
    }

    [Fact]
    public void What_nobody_uses_for_an_hour_is_forgotten()
    {
        ResponseStore store = NewStore();
        store.Add(Answer(0));
        store.Add(Answer(1));
        _clock.Now += TimeSpan.FromMinutes(59);
        Assert.NotNull(store.Find(null, Id(1)));
        _clock.Now += TimeSpan.FromMinutes(2);
        Assert.Null(store.Find(null, Id(0)));
        Assert.NotNull(store.Find(null, Id(1)));
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void An_item_is_found_by_its_own_id_alone()
    {
        ResponseStore store = NewStore();
        store.Add(Answer(0));
        Assert.Equal(
            "reasoning",
            new StoredItemFinder(store, null, Mebibyte).Find($"rs_{Number(0)}")!.Value.GetProperty("type").GetString()
        );
        Assert.Null(new StoredItemFinder(store, null, Mebibyte).Find($"msg_{Number(0)}"));
        Assert.Null(store.Find(null, $"rs_{Number(0)}"));
    }

    [Fact]
    public void An_answer_is_read_once_however_often_a_request_refers_to_it()
    {
        ResponseStore store = NewStore();
        string id = $"rs_{Number(0)}";
        store.Add(
            Answer(0) with
            {
                Response = Encoding.UTF8.GetBytes(
                    $$"""{"user":"{{new string('x', (int)Mebibyte)}}","output":[{"type":"reasoning","id":"{{id}}"}]}"""
                ),
            }
        );
        var finder = new StoredItemFinder(store, null, Mebibyte);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            Assert.NotNull(finder.Find(id));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 * Mebibyte);
    }

    // Each reference becomes a text of the prompt, so that a thousand of them to one long text would be a gigabyte.
    [Fact]
    public async Task References_to_stored_items_count_as_if_the_body_held_the_items()
    {
        const int Limit = 500_000;
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxBodyBytes = Limit);
        using HttpResponseMessage made = await host.PostAsync(
            $$"""{"input":"{{new string('x', 100_000)}}"}""",
            "/v1/responses"
        );
        string text = await made.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        string id = JsonElement.Parse(text).GetProperty("id").GetString()!.Replace("resp_", "msg_");
        foreach (int references in (int[])[4, 5])
        {
            string items = string.Join(
                ',',
                Enumerable.Repeat($$"""{"type":"item_reference","id":"{{id}}"}""", references)
            );
            using HttpResponseMessage told = await host.PostAsync(
                $$"""{"input":[{{items}},{"role":"user","content":"x"}]}""",
                "/v1/responses"
            );
            string body = await told.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Equal(references == 4 ? HttpStatusCode.OK : HttpStatusCode.RequestEntityTooLarge, told.StatusCode);
            Assert.Equal(references == 5, body.Contains($"{Limit} bytes together", StringComparison.Ordinal));
        }
    }

    private static string Number(int i) => i.ToString("x32");

    private static string Id(int i) => $"resp_{Number(i)}";

    private static StoredResponse Answer(int i, int bytes = 0, int? parent = null) =>
        new(
            Number(i),
            null,
            parent is { } before ? Number(before) : null,
            Encoding.UTF8.GetBytes($"[\"{new string('x', bytes)}\"]"),
            Encoding.UTF8.GetBytes($$"""{"output":[{"type":"reasoning","id":"rs_{{Number(i)}}"}]}""")
        );

    private ResponseStore NewStore(int most = 256, long mostBytes = 64 * Mebibyte) =>
        new(most, mostBytes, TimeSpan.FromHours(1), _clock);
}
