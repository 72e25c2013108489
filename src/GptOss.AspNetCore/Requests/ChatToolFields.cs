using GptOss.AspNetCore.Faults;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>Reads the tools of Chat Completions and which of them must be called.</summary>
internal static class ChatToolFields
{
    /// <summary>Adds the tools of a list to those of the request.</summary>
    /// <exception cref="FaultException">A tool is wrong or of a kind that is not offered.</exception>
    public static void Read(WireValue list, AskedTools tools)
    {
        foreach (WireValue tool in AskedTools.Items(list))
        {
            WireValue type = tool.Needed("a tool")["type"].Needed("'function' or 'custom'");
            WireValue about = tool[type.Word("function", "custom")!];
            Add(about.Needed("what the tool is"), type.Text() == "custom", tools);
        }
    }

    /// <summary>Adds one tool to those of the request.</summary>
    /// <param name="about">The object with its name and its description.</param>
    /// <param name="isFreeform">Whether the model writes plain text to it.</param>
    /// <param name="tools">The tools of the request.</param>
    /// <param name="space">The group that the tool belongs to; null for none.</param>
    /// <exception cref="FaultException">A field of the tool is wrong.</exception>
    public static void Add(WireValue about, bool isFreeform, AskedTools tools, string? space = null)
    {
        if (!isFreeform)
        {
            bool isStrict = about["strict"].Flag() ?? false;
            tools.AddFunction(about["name"], about["description"], about["parameters"], isStrict, space);
            return;
        }
        WireValue format = about["format"];
        bool isGrammar = format["type"].Word("text", "grammar") == "grammar";
        WireValue grammar = format["grammar"];
        tools.AddFreeform(
            about["name"],
            about["description"],
            isGrammar ? (grammar.IsAbsent ? format : grammar)["definition"] : default,
            space
        );
    }

    /// <summary>
    /// Whether the model may or must call; where only some tools are allowed, the others are removed.
    /// </summary>
    /// <param name="choice">The field <c>tool_choice</c> of the request.</param>
    /// <param name="tools">The tools of the request.</param>
    /// <param name="isFlat">Whether what is chosen lies in the field itself, as Responses has it, and not in an object
    /// that is named as its kind.</param>
    /// <exception cref="FaultException">The choice is unknown, or names a tool that is not there.</exception>
    public static ChatToolMode? Choice(WireValue choice, AskedTools tools, bool isFlat = false)
    {
        const string Expected = "'none', 'auto', 'required' or an object that names a tool";
        if (choice.IsAbsent)
            return null;
        if (choice.IsText)
            return Mode(choice, choice.Word("none", "auto", "required")!, tools);
        if (!choice.IsObject)
            throw choice.WrongType(Expected);
        WireValue type = choice["type"].Needed("the kind of the choice");
        if (type.Word("function", "custom", "allowed_tools") != "allowed_tools")
            return ChatToolMode.RequireSpecific(Named(choice, type.Text()!, tools, isFlat));
        WireValue allowed = isFlat ? choice : choice["allowed_tools"].Needed("the tools that are allowed");
        tools.Keep([
            .. AskedTools
                .Items(allowed["tools"].Needed("a list of tools"))
                .Select(tool => Named(tool, tool["type"].Word("function", "custom") ?? "function", tools, isFlat)),
        ]);
        WireValue mode = allowed["mode"];
        return Mode(mode, mode.Word("auto", "required") ?? "auto", tools);
    }

    private static ChatToolMode Mode(WireValue field, string word, AskedTools tools) =>
        word switch
        {
            "none" => ChatToolMode.None,
            "auto" => ChatToolMode.Auto,
            _ when tools.All.Count > 0 => ChatToolMode.RequireAny,
            _ => throw field.WrongValue("'auto' or 'none' where no tools are offered", "'required'"),
        };

    private static string Named(WireValue choice, string type, AskedTools tools, bool isFlat)
    {
        WireValue about = isFlat ? choice : choice[type],
            field = about["name"];
        string name = AskedTools.Full(about["namespace"].Text(), field.Needed("the name of a tool").Text()!);
        return tools.Find(name) is not null
            ? name
            : throw field.WrongValue("the name of a tool of the request", Fault.Quote(name));
    }
}
