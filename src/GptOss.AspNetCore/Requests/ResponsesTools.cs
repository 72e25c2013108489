using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Requests;

/// <summary>Reads the tools of Responses.</summary>
internal static class ResponsesTools
{
    /// <summary>Adds the tools of a list to those of the request.</summary>
    /// <param name="list">The field <c>tools</c> of the request.</param>
    /// <param name="tools">The tools of the request.</param>
    /// <param name="ignored">Gets the kinds of tools that are passed over, since OpenAI itself would run them: some
    /// clients offer them in every request.</param>
    /// <exception cref="FaultException">A tool is wrong.</exception>
    public static void Read(WireValue list, AskedTools tools, ISet<string> ignored)
    {
        foreach (WireValue tool in AskedTools.Items(list))
        {
            string kind = Kind(tool);
            if (kind == "namespace")
            {
                WireValue name = tool["name"].Needed("the name of the group");
                string space = AskedTools.IsName(name.Text()!)
                    ? name.Text()!
                    : throw name.WrongValue("1 to 128 letters, digits, '_', '.' or '-'", Fault.Quote(name.Text()!));
                foreach (WireValue member in AskedTools.Items(tool["tools"]))
                    Add(member, Kind(member), tools, ignored, space);
            }
            else
                Add(tool, kind, tools, ignored, space: null);
        }
    }

    private static string Kind(WireValue tool) => tool.Needed("a tool")["type"].Needed("the kind of the tool").Text()!;

    private static void Add(WireValue tool, string kind, AskedTools tools, ISet<string> ignored, string? space)
    {
        if (kind is "function" or "custom")
            ChatToolFields.Add(tool, kind == "custom", tools, space);
        else
            ignored.Add(kind);
    }
}
