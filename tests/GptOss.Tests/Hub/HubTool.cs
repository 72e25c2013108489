using System.Diagnostics;
using System.Text;
using GptOss.Tests.Cli;

namespace GptOss.Tests.Hub;

/// <summary>The tool as a process in a home of its own, with a hub of the test.</summary>
internal static class HubTool
{
    // What the machine of the tests may have set, and would lead the tool elsewhere.
    private static readonly string[] Foreign =
    [
        "GPTOSS_MODEL",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "XDG_CACHE_HOME",
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "OLLAMA_MODELS",
        "MODELS_PATH",
        "LLAMA_CACHE",
    ];

    public static ToolRun Run(Home home, FakeHub? hub, params string[] arguments)
    {
        using Process process = Start(home, hub, arguments);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
        Tool.WaitForEnd(process);
        return new ToolRun(process.ExitCode, Encoding.UTF8.GetBytes(output.Result), error.Result);
    }

    public static Process Start(Home home, FakeHub? hub, params string[] arguments) =>
        Process.Start(
            Info(home, hub, "dotnet", [Path.Combine(AppContext.BaseDirectory, "GptOss.Cli.dll"), .. arguments])
        )!;

    /// <summary>A program with all streams redirected, and the tool's environment.</summary>
    public static ProcessStartInfo Info(Home home, FakeHub? hub, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in Foreign)
            start.Environment.Remove(name);
        start.Environment["HOME"] = start.Environment["USERPROFILE"] = home.Path;
        start.Environment["HF_HOME"] = Path.Join(home.Path, ".cache", "huggingface");
        if (hub is not null)
            start.Environment["HF_ENDPOINT"] = hub.Address.ToString();
        return start;
    }
}
