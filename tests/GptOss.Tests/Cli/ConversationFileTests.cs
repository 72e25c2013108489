using GptOss.Cli.Chat;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Cli;

public sealed class ConversationFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "conversation.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Everything_comes_back()
    {
        ConversationFile.Save(File, Sample());
        Conversation loaded = ConversationFile.Load(File);

        Assert.Equal(("high", "Be brief. \u201cé\u201d", true), (loaded.Effort, loaded.System, loaded.HasTools));
        Assert.Equal(["user", "assistant", "tool", "assistant"], loaded.Messages.Select(message => message.Role.Value));
        Assert.Equal(Sample().LastReasoning(), loaded.LastReasoning());
        Assert.Equal("It is noon.", loaded.Messages[^1].Text);
        var call = Assert.IsType<FunctionCallContent>(loaded.Messages[1].Contents[1]);
        Assert.Equal(("1", "get_current_time", "Lisbon"), (call.CallId, call.Name, $"{call.Arguments!["city"]}"));
        Assert.Equal("1", Assert.IsType<FunctionResultContent>(loaded.Messages[2].Contents[0]).CallId);
    }

    [Fact]
    public void Saving_replaces_a_conversation_and_leaves_nothing_else()
    {
        ConversationFile.Save(File, new Conversation { Effort = "low" });
        ConversationFile.Save(File, Sample());
        Assert.Equal([File], Directory.GetFiles(_folder.Path));
        Assert.Equal(4, ConversationFile.Load(File).Messages.Count);
    }

    [Theory]
    [InlineData("an older one")]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"format":"gptoss-conversation","version":2,"effort":"low","messages":[]}""")]
    public void What_is_no_conversation_is_never_written_over(string content)
    {
        System.IO.File.WriteAllText(File, content);
        IOException refusal = Assert.ThrowsAny<IOException>(() => ConversationFile.Save(File, Sample()));
        Assert.StartsWith($"'{File}' is there already and is not written over. ", refusal.Message);
        Assert.Equal(content, System.IO.File.ReadAllText(File));
        Assert.Equal([File], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_folder_a_device_or_a_pipe_is_neither_written_nor_read_also_behind_a_link()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such files.");
        string folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "folder")).FullName;
        string pipe = Path.Combine(_folder.Path, "pipe");
        using (System.Diagnostics.Process made = System.Diagnostics.Process.Start("mkfifo", [pipe]))
            made.WaitForExit();
        foreach (string place in new[] { folder, pipe, "/dev/null", "/dev/zero", "/proc/self/status" })
        {
            string link = Path.Combine(_folder.Path, "link");
            System.IO.File.CreateSymbolicLink(link, place);
            foreach (string name in new[] { place, link })
            {
                Assert.Contains(
                    $"'{name}'",
                    Assert.ThrowsAny<IOException>(() => ConversationFile.Save(name, Sample())).Message
                );
                Assert.Contains(
                    $"'{name}' is no saved conversation",
                    Assert.ThrowsAny<IOException>(() => ConversationFile.Load(name)).Message
                );
            }
            System.IO.File.Delete(link);
        }
        Assert.Equal([pipe], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_link_stays_a_link()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a permission there.");
        string link = Path.Combine(_folder.Path, "link.json");
        System.IO.File.CreateSymbolicLink(link, "conversation.json");
        ConversationFile.Save(link, Sample());
        ConversationFile.Save(link, Sample());

        Assert.Equal("conversation.json", new FileInfo(link).LinkTarget);
        Assert.Equal(4, ConversationFile.Load(File).Messages.Count);
    }

    [Theory]
    [InlineData("no-such-folder/x.json", "there is no such folder")]
    [InlineData("x\0y", "that is no name of a file")]
    public void A_place_that_cannot_be_written_is_named_as_it_was_given(string name, string why)
    {
        IOException refusal = Assert.ThrowsAny<IOException>(() => ConversationFile.Save(name, Sample()));
        Assert.Equal($"'{name}' cannot be {(name.Contains('\0') ? "found" : "written")}: {why}.", refusal.Message);
    }

    [Fact]
    public void A_file_that_ends_too_early_is_refused_wherever_it_ends()
    {
        ConversationFile.Save(File, Sample());
        byte[] whole = System.IO.File.ReadAllBytes(File);
        // A line feed at the end would not be missed; the file has none.
        for (int length = 0; length < whole.Length; length++)
        {
            System.IO.File.WriteAllBytes(File, whole[..length]);
            Assert.ThrowsAny<IOException>(() => ConversationFile.Load(File));
        }
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"format":"other","version":1,"effort":"low","messages":[]}""")]
    [InlineData("""{"format":"gptoss-conversation","version":2,"effort":"low","messages":[]}""")]
    [InlineData("""{"format":"gptoss-conversation","version":1,"effort":"huge","messages":[]}""")]
    [InlineData("""{"format":"gptoss-conversation","version":1,"messages":[]}""")]
    [InlineData("""{"format":"gptoss-conversation","version":1,"effort":"low"}""")]
    [InlineData("""{"format":"gptoss-conversation","version":1,"effort":"low","messages":[null]}""")]
    [InlineData(
        """{"format":"gptoss-conversation","version":1,"effort":"low","messages":[{"role":"system","contents":[]}]}"""
    )]
    [InlineData(
        """{"format":"gptoss-conversation","version":1,"effort":"low","messages":[{"role":"user","contents":[null]}]}"""
    )]
    [InlineData(
        """{"format":"gptoss-conversation","version":1,"effort":"low","messages":[{"role":"user","contents":[{"$type":"odd"}]}]}"""
    )]
    [InlineData(
        """{"format":"gptoss-conversation","version":1,"effort":"low","messages":[{"role":"user","contents":[{"$type":"uri","uri":"http://x/","mediaType":"image/png"}]}]}"""
    )]
    public void What_is_no_conversation_is_refused(string text)
    {
        System.IO.File.WriteAllText(File, text);
        IOException refusal = Assert.ThrowsAny<IOException>(() => ConversationFile.Load(File));
        Assert.Contains("is no saved conversation", refusal.Message);
    }

    [Fact]
    public void A_flipped_byte_gives_a_conversation_or_a_refusal()
    {
        ConversationFile.Save(File, Sample());
        byte[] whole = System.IO.File.ReadAllBytes(File);
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= 0x15;
            System.IO.File.WriteAllBytes(File, damaged);
            if (Record.Exception(() => ConversationFile.Load(File)) is { } refusal)
                Assert.IsType<IOException>(refusal, exactMatch: false);
        }
    }

    private static Conversation Sample()
    {
        var conversation = new Conversation
        {
            Effort = "high",
            System = "Be brief. \u201cé\u201d",
            HasTools = true,
        };
        conversation.Add(
            new ChatMessage(ChatRole.User, "What time is it?"),
            [
                new ChatMessage(
                    ChatRole.Assistant,
                    [
                        new TextReasoningContent("I must look."),
                        new FunctionCallContent(
                            "1",
                            "get_current_time",
                            new Dictionary<string, object?> { ["city"] = "Lisbon" }
                        ),
                    ]
                ),
                new ChatMessage(ChatRole.Tool, [new FunctionResultContent("1", "12:00")]),
                new ChatMessage(ChatRole.Assistant, "It is noon."),
            ],
            isWhole: true
        );
        return conversation;
    }
}
