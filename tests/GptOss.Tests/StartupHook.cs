/// <summary>
/// Runs first in a process whose DOTNET_STARTUP_HOOKS names this assembly, and writes at the end which assemblies it
/// loaded. Where a variable asks for it, the process saves prefixes until it is killed.
/// </summary>
/// <remarks>
/// The runtime asks for this name, outside of any namespace. It must use nothing but the base library.
/// </remarks>
internal static class StartupHook
{
    /// <summary>The variable that names the file to write.</summary>
    public const string File = "GPTOSS_LOADED_ASSEMBLIES";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(GptOss.Tests.SavingChild.File) is { } saved)
            GptOss.Tests.SavingChild.Run(saved);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            System.IO.File.WriteAllLines(
                Environment.GetEnvironmentVariable(File)!,
                AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name!)
            );
    }
}
