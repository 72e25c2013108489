using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>Reads the tools of Messages and which of them must be called.</summary>
internal static class MessagesTools
{
    /// <summary>Adds the tools of a list to those of the request.</summary>
    /// <param name="list">The field <c>tools</c> of the request.</param>
    /// <param name="tools">The tools of the request.</param>
    /// <param name="ignored">Gets the kinds of tools that are passed over, since Anthropic itself would run them or
    /// knows what they take.</param>
    /// <exception cref="FaultException">A tool is wrong.</exception>
    public static void Read(WireValue list, AskedTools tools, ISet<string> ignored)
    {
        foreach (WireValue tool in AskedTools.Items(list))
        {
            if (tool.Needed("a tool")["type"].Text() is { } kind and not "custom")
            {
                ignored.Add(kind);
                continue;
            }
            WireValue name = tool["name"];
            tools.AddFunction(name, tool["description"], tool["input_schema"], tool["strict"].Flag() ?? false);
            if (tool["defer_loading"].Flag() == true)
                tools.Hide(name.Text()!);
        }
    }

    /// <summary>Whether the model may or must call.</summary>
    /// <exception cref="FaultException">The choice is unknown, or names a tool that is not there.</exception>
    public static ChatToolMode? Choice(WireValue choice, AskedTools tools)
    {
        const string Expected = "an object with the kind of the choice";
        if (choice.IsAbsent)
            return null;
        if (!choice.IsObject)
            throw choice.WrongType(Expected);
        WireValue type = choice["type"].Needed("one of auto, any, tool, none"),
            name = choice["name"];
        return type.Word("auto", "any", "tool", "none") switch
        {
            "none" => ChatToolMode.None,
            "auto" => ChatToolMode.Auto,
            "tool" => ChatToolMode.RequireSpecific(Named(name, tools)),
            _ when tools.All.Count > 0 => ChatToolMode.RequireAny,
            _ => throw type.WrongValue("'auto' or 'none' where no tools are offered", "'any'"),
        };
    }

    private static string Named(WireValue field, AskedTools tools)
    {
        string name = field.Needed("the name of a tool").Text()!;
        return tools.Find(name) is not null
            ? name
            : throw field.WrongValue("the name of a tool of the request", Fault.Quote(name));
    }
}
