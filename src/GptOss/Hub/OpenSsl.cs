using System.Runtime.InteropServices;

namespace GptOss.Hub;

/// <summary>
/// Hashes and HTTPS of .NET are OpenSSL on Linux, the one native library that a download needs: looked for before the
/// runtime does, which would end the process.
/// </summary>
/// <remarks>Source: dotnet/runtime, opensslshim.c: the names that it tries, in their order.</remarks>
internal static class OpenSsl
{
    private static readonly string[] Versions = ["3", "1.1", "1.0.2", "1.0.0", "10"];

    /// <exception cref="HubException">The system has no OpenSSL.</exception>
    public static void Require()
    {
        if (!IsThere(Environment.GetEnvironmentVariable("CLR_OPENSSL_VERSION_OVERRIDE"), CanLoad))
            throw new HubException(
                HubProblem.Network,
                "Downloads and their hashes need OpenSSL, which this system does not have: install libssl3 (Debian, "
                    + "Ubuntu), openssl-libs (Fedora) or openssl (Alpine). Models that are here run without it."
            );
    }

    /// <summary>Whether the runtime will find the library.</summary>
    /// <param name="asked">A version that the environment asks for; null for any.</param>
    /// <param name="canLoad">Tells whether a library can be loaded by its name.</param>
    public static bool IsThere(string? asked, Func<string, bool> canLoad) =>
        !OperatingSystem.IsLinux()
        || ((string[])[.. string.IsNullOrEmpty(asked) ? [] : new[] { asked }, .. Versions]).Any(version =>
            canLoad($"libssl.so.{version}")
        );

    private static bool CanLoad(string name)
    {
        if (!NativeLibrary.TryLoad(name, out nint handle))
            return false;
        NativeLibrary.Free(handle);
        return true;
    }
}
