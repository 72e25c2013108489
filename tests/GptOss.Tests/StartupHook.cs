/// <summary>
/// Runs first in a process whose DOTNET_STARTUP_HOOKS names this assembly, and writes at the end which assemblies it
/// loaded. Where a variable asks for it, the process does something else in the place of the tool.
/// </summary>
/// <remarks>
/// The runtime asks for this name, outside of any namespace. It must use nothing but the base library, and of the
/// children the library.
/// </remarks>
internal static class StartupHook
{
    /// <summary>The variable that names the file to write.</summary>
    public const string File = "GPTOSS_LOADED_ASSEMBLIES";

    /// <summary>The variable that names the file for the system's account of the process.</summary>
    public const string Memory = "GPTOSS_PEAK_MEMORY";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(GptOss.Tests.SavingChild.File) is { } saved)
            GptOss.Tests.SavingChild.Run(saved);
        if (Environment.GetEnvironmentVariable(GptOss.Tests.AnsweringChild.Model) is { } model)
            GptOss.Tests.AnsweringChild.Run(model);
        if (Environment.GetEnvironmentVariable(GptOss.Tests.Model.MeasuredChild.Model) is { } measured)
            GptOss.Tests.Model.MeasuredChild.Run(measured);
        if (Environment.GetEnvironmentVariable(GptOss.Tests.OddFolders.ToolLoop.Mark) is { } mark)
            GptOss.Tests.OddFolders.ToolLoop.Run(mark);
        if (Environment.GetEnvironmentVariable(Memory) is { } memory)
            AppDomain.CurrentDomain.ProcessExit += (_, _) =>
                System.IO.File.WriteAllText(memory, System.IO.File.ReadAllText("/proc/self/status"));
        if (Environment.GetEnvironmentVariable(File) is null)
            return;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            System.IO.File.WriteAllLines(
                Environment.GetEnvironmentVariable(File)!,
                AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name!)
            );
    }
}
