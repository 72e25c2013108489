using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Serve;

/// <summary>Opens the chat page in the browser of whoever started the server.</summary>
internal static class Browser
{
    /// <summary>Opens the page of a server; where no browser is found, one line says so.</summary>
    /// <param name="address">Where the server listens.</param>
    public static void Open(string address)
    {
        string page = PageOf(address);
        try
        {
            using Process? browser = Process.Start(new ProcessStartInfo(page) { UseShellExecute = true });
        }
        catch (Exception error)
            when (error is Win32Exception or InvalidOperationException or PlatformNotSupportedException)
        {
            Failure.WriteLine($"--open: no browser was found: {error.Message} Open {page} yourself.");
        }
    }

    /// <summary>
    /// The address of the page on this machine: nobody can go to "any address", which a server may listen on.
    /// </summary>
    public static string PageOf(string address)
    {
        var page = new UriBuilder(address);
        if (
            IPAddress.TryParse(page.Host, out IPAddress? ip)
            && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any))
        )
            page.Host = "localhost";
        return page.Uri.AbsoluteUri;
    }
}
