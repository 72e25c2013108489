using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace GptOss.Tests.OddFolders;

/// <summary>What a file system may have in the place of a file.</summary>
internal static partial class FileCases
{
    private static readonly string[] Names = ["config.json", "model.safetensors", "tokenizer.json"];

    private static readonly string[] Others = ["generation_config.json", "model.safetensors.index.json"];

    // A device has no length, and so is refused before it is opened.
    private static readonly string[] Devices =
    [
        "/dev/zero",
        "/dev/null",
        "/dev/full",
        "/dev/random",
        "/dev/tty",
        "/proc/self/mem",
        "/proc/self/environ",
    ];

    public static IEnumerable<OddCase> All =>
        OperatingSystem.IsWindows()
            ? []
            :
            [
                .. Names.SelectMany(OfFile),
                .. Devices.SelectMany(device =>
                    Names
                        .Where(name => device is "/dev/zero" or "/proc/self/mem" || name == "model.safetensors")
                        .Select(name => Of(name, $"a link to {device}", f => f.Link(name, device), name, "has 0 bytes"))
                ),
                .. Others.SelectMany(name =>
                    (OddCase[])
                        [
                            Of(name, "a FIFO", f => Fifo(f, name), name, "not a regular file"),
                            Of(name, "a folder", f => Folder(f, name), name, "is a folder, but should be a file"),
                        ]
                ),
                Of("folder", "empty", f => Emptied(f), "is empty", "config.json and the weights"),
                Of("folder", "gone", f => f.Model = f.Model + "-gone", "does not exist"),
                Of("folder", "a link to itself", f => Opened(f, "loop"), "symbolic links form a circle"),
                Of("folder", "a link to nothing", f => Opened(f, "nothing"), "does not exist"),
                Of("folder", "a file of it", f => f.Model = f.At("config.json"), "give the folder that it lies in"),
                Of(
                    "folder",
                    "its weights",
                    f => f.Model = f.At("model.safetensors"),
                    "give the folder that it lies in"
                ),
                Of("GGUF", "a FIFO", GgufFifo, "m.gguf", "not a regular file"),
                Of("adapter", "a FIFO", AdapterFifo, OddBase.Adapter, OddAdapter.Weights, "not a regular file"),
                Of("adapter", "a link to a device", AdapterDevice, OddBase.Adapter, OddAdapter.Config, "has 0 bytes"),
                .. Environment.IsPrivilegedProcess ? [] : Forbidden(), // nothing is forbidden to root
            ];

    private static IEnumerable<OddCase> OfFile(string name) =>
        [
            Of(name, "a FIFO", f => Fifo(f, name), name, "not a regular file"),
            Of(name, "a link to a FIFO", f => LinkedFifo(f, name), name, "not a regular file"),
            Of(name, "a socket", f => Listen(f, name), name, "not a regular file"),
            Of(name, "a folder", f => Folder(f, name), name, "is a folder, but should be a file"),
            Of(name, "a link to a folder", f => f.Link(name, f.Outside), name, "is a folder, but should be a file"),
            Of(name, "a link to nothing", f => f.Link(name, "gone"), name, "is a link to '", "which does not exist"),
            Of(name, "a link to itself", f => f.Link(name, name), name, "symbolic links form a circle"),
            Of(
                name,
                "a link to a path of 3,000 characters",
                f => f.Link(name, Far),
                name,
                "is a link to '…",
                "not exist"
            ),
            Of(name, "two links in a circle", f => Circle(f, name), name, "symbolic links form a circle"),
            Of(name, "a chain of 41 links", f => Chain(f, name, 41), name, "symbolic links form a circle"),
        ];

    private static string Far => string.Concat(Enumerable.Repeat("far/", 750)) + "away";

    private static IEnumerable<OddCase> Forbidden() =>
        [
            .. Names.Select(name => Of(name, "not readable", f => Forbid(f.At(name)), name, "access is denied")),
            Of("folder", "not listed", f => Forbid(f.Model), "access is denied"),
        ];

    private static OddCase Of(string what, string is_, Action<OddFolder> make, params string[] words) =>
        Of(what, is_, make, what == "GGUF" ? OddBase.Gguf : OddBase.HuggingFace, words);

    private static OddCase Of(string what, string is_, Action<OddFolder> make, OddBase sound, params string[] words) =>
        new($"files: {what} is {is_}", sound, make, words);

    private static void Forbid(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.None);
    }

    private static void Fifo(OddFolder f, string name) => MakeFifo(f.At(name));

    private static void GgufFifo(OddFolder f) => MakeFifo(f.Model);

    private static void AdapterFifo(OddFolder f) => MakeFifo(f.InAdapter(OddAdapter.Weights));

    private static void AdapterDevice(OddFolder f)
    {
        File.Delete(f.InAdapter(OddAdapter.Config));
        File.CreateSymbolicLink(f.InAdapter(OddAdapter.Config), "/dev/zero");
    }

    private static void MakeFifo(string path)
    {
        File.Delete(path);
        Assert.Equal(0, MakeFifo(path, 0x180)); // its owner may read and write
    }

    private static void LinkedFifo(OddFolder f, string name)
    {
        MakeFifo(Path.Join(f.Place, "fifo"));
        f.Link(name, "../fifo");
    }

    private static void Listen(OddFolder f, string name)
    {
        f.Delete(name);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(f.At(name)));
        f.Keep(socket);
    }

    private static void Folder(OddFolder f, string name)
    {
        f.Delete(name);
        Directory.CreateDirectory(f.At(name));
    }

    private static void Circle(OddFolder f, string name)
    {
        f.Link(name, "other");
        File.CreateSymbolicLink(f.At("other"), name);
    }

    private static void Chain(OddFolder f, string name, int links)
    {
        f.Rename(name, "link0");
        for (int i = 1; i < links; i++)
            File.CreateSymbolicLink(f.At($"link{i}"), $"link{i - 1}");
        File.CreateSymbolicLink(f.At(name), $"link{links - 1}");
    }

    private static void Emptied(OddFolder f)
    {
        foreach (string file in Directory.GetFiles(f.Model))
            File.Delete(file);
    }

    private static void Opened(OddFolder f, string name)
    {
        f.Model = Path.Join(f.Place, name);
        File.CreateSymbolicLink(f.Model, name == "loop" ? "loop" : "gone");
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
