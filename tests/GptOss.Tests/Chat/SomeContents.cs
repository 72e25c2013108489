using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>Contents of every kind that Microsoft.Extensions.AI stores.</summary>
internal static class SomeContents
{
    /// <summary>
    /// One of each content that Microsoft.Extensions.AI stores; "media" is what a user may not put in.
    /// </summary>
    public static Dictionary<string, AIContent> OfEveryKind()
    {
        var call = new FunctionCallContent(
            "9",
            "g",
            new Dictionary<string, object?>
            {
                ["x"] = 1.50m,
                ["y"] = null,
                ["z"] = new { A = 1 },
            }
        );
        return new()
        {
            ["text"] = new TextContent("words"),
            ["empty text"] = new TextContent(null),
            ["reasoning"] = new TextReasoningContent("thought") { ProtectedData = "p" },
            ["call"] = call,
            ["call of information"] = new FunctionCallContent("9", "g") { InformationalOnly = true },
            ["result"] = new FunctionResultContent(
                "9",
                new
                {
                    A = 1,
                    B = (string?)null,
                    C = new[] { 1.0, 0.1 },
                    D = DateTime.UnixEpoch,
                    E = ChatRole.User,
                }
            ),
            ["result of contents"] = new FunctionResultContent(
                "9",
                new AIContent[] { new TextContent("a"), new DataContent(new byte[] { 1 }, "image/png") }
            ),
            ["note"] = new DataContent("note"u8.ToArray(), "text/plain") { Name = "note.txt" },
            ["json"] = new DataContent("{}"u8.ToArray(), "application/json"),
            ["media picture"] = new DataContent(new byte[] { 1, 2, 3 }, "image/png"),
            ["media link"] = new UriContent("https://example.org/x.png", "image/png"),
            ["hosted file"] = new HostedFileContent("f1"),
            ["hosted store"] = new HostedVectorStoreContent("v1"),
            ["error"] = new ErrorContent("bad") { ErrorCode = "e" },
            ["usage"] = new UsageContent(new UsageDetails { InputTokenCount = 1 }),
            ["approval request"] = new ToolApprovalRequestContent("r", call),
            ["approval response"] = new ToolApprovalResponseContent("r", true, call),
            ["mcp call"] = new McpServerToolCallContent("m", "t", "server"),
            ["mcp result"] = new McpServerToolResultContent("m") { Outputs = [new TextContent("out")] },
            ["unknown"] = new AIContent(),
        };
    }
}
