using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Unicode;

namespace GptOss.Checkpoint.Gguf;

/// <summary>
/// The head of a GGUF file: version, keys with their values, and where each tensor lies. It is checked whole before a
/// byte of a tensor is read.
/// </summary>
/// <remarks>
/// Stricter than ggml in the bounds of docs/formats.md, laxer in the order of tensors, in holes between them and in
/// bytes behind them. Arrays are passed over and can be read later. Source: gguf.md in ggml-org/ggml, docs, and
/// src/gguf.cpp.
/// </remarks>
internal sealed class GgufHeader
{
    private const int MostKeys = 10_000,
        MostTensors = 100_000,
        MostKeyBytes = 65_535,
        MostNameBytes = 63,
        MostDimensions = 4,
        KeptStringBytes = 1024,
        LeastKeyBytes = 13,
        LeastTensorBytes = 24;

    private const long MostDimension = 1L << 40,
        DefaultAlignment = 32,
        LeastAlignment = 8,
        MostAlignment = 1 << 20;

    private const string AlignmentKey = "general.alignment";

    private GgufHeader(GgufKeys keys, TensorEntry[] tensors, long bytes) =>
        (Keys, Tensors, Bytes) = (keys, tensors, bytes);

    public GgufKeys Keys { get; }

    /// <summary>The tensors, ascending by position; their places are those in the file.</summary>
    public TensorEntry[] Tensors { get; }

    /// <summary>Bytes of the head, up to the end of the list of tensors.</summary>
    public long Bytes { get; }

    /// <summary>Reads a head and checks it.</summary>
    /// <exception cref="CheckpointException">Any damage; nothing else is thrown, whatever the bytes are.</exception>
    public static GgufHeader Read(GgufReader file)
    {
        ReadOnlySpan<byte> magic = file.Take(4);
        if (!magic.SequenceEqual("GGUF"u8))
            throw file.Wrong(
                $"should begin with 'GGUF', but begins with '{Printable.Name(Encoding.Latin1.GetString(magic))}'."
            );
        uint version = file.UInt32();
        if (version is not (2 or 3))
            throw file.Wrong(
                (version & 0xFFFF) == 0
                    ? "is a big-endian GGUF file, made for other machines: download the usual, little-endian one."
                    : $"is GGUF of version {version}, but should be of version 2 or 3."
            );
        ulong tensors = file.UInt64(),
            keys = file.UInt64();
        RequireCount(file, "tensors", tensors, MostTensors, LeastTensorBytes);
        RequireCount(file, "keys of metadata", keys, MostKeys, LeastKeyBytes);

        var values = new Dictionary<string, GgufValue>((int)keys, StringComparer.Ordinal);
        for (ulong i = 0; i < keys; i++)
            ReadKey(file, values);
        var all = new GgufKeys(file.Path, values);
        long alignment = all.OptionalInt64(AlignmentKey, LeastAlignment, MostAlignment) ?? DefaultAlignment;
        if (!BitOperations.IsPow2(alignment))
            throw all.Wrong(AlignmentKey, "a power of two", alignment.ToString(CultureInfo.InvariantCulture));
        var infos = new TensorEntry[tensors];
        var names = new HashSet<string>(infos.Length, StringComparer.Ordinal);
        for (int i = 0; i < infos.Length; i++)
            infos[i] = ReadTensor(file, names);
        long bytes = file.Position,
            data = (bytes + alignment - 1) / alignment * alignment;
        return new GgufHeader(all, Placed(file, infos, data, alignment), bytes);
    }

    private static void RequireCount(GgufReader file, string what, ulong count, int most, int each)
    {
        string claim = $"{(long)count} {what}";
        if (count > (ulong)most && count <= (ulong)file.Left / (uint)each)
            throw file.Wrong($"claims {claim}, but should have at most {most}.");
        file.RequireRoom(claim, count, each);
    }

    private static void ReadKey(GgufReader file, Dictionary<string, GgufValue> values)
    {
        string name = ReadName(file, "the name of a key", MostKeyBytes);
        if (!values.TryAdd(name, default))
            throw file.Wrong("is there twice.", name);
        uint type = file.UInt32();
        if (type > (uint)GgufType.Float64)
            throw file.Wrong($"has a value of type {type}, which GGUF does not have.", name);
        values[name] = ReadValue(file, name, (GgufType)type);
    }

    private static string ReadName(GgufReader file, string what, int most)
    {
        int bytes = (int)file.StringLength(what, most);
        if (bytes == 0)
            throw file.Wrong($"{what} is empty.");
        byte[] name = new byte[bytes];
        file.Copy(name);
        return Utf8.IsValid(name) ? Encoding.UTF8.GetString(name) : throw file.Wrong($"{what} is not valid UTF-8.");
    }

    private static GgufValue ReadValue(GgufReader file, string name, GgufType type)
    {
        switch (type)
        {
            case GgufType.String:
                long length = file.StringLength($"the string of '{Printable.Name(name)}'", GgufReader.MostStringBytes);
                byte[]? text = length <= KeptStringBytes ? file.Take((int)length).ToArray() : null;
                if (text is null)
                    file.Skip(length);
                return new GgufValue(type, Text: text, Count: length);
            case GgufType.Array:
                return ReadArray(file, name);
            default:
                return new GgufValue(type, Number(file, name, type));
        }
    }

    // The elements are only passed over: who needs them reads them from their place.
    private static GgufValue ReadArray(GgufReader file, string name)
    {
        uint inner = file.UInt32();
        ulong count = file.UInt64();
        var type = (GgufType)inner;
        if (inner > (uint)GgufType.Float64 || type == GgufType.Array)
            throw file.Wrong(
                type == GgufType.Array
                    ? "is an array of arrays, which no reader needs."
                    : $"is an array of type {inner}, which GGUF does not have.",
                name
            );
        int each = type == GgufType.String ? sizeof(ulong) : type.Bytes();
        if (count > (ulong)file.Left / (uint)each)
            throw file.Wrong(
                $"is an array of {count} elements of at least {each} bytes, but the file ends {file.Left} bytes "
                    + "further on.",
                name
            );
        var value = new GgufValue(GgufType.Array, Inner: type, Count: (long)count, Position: file.Position);
        if (type == GgufType.String)
            file.SkipStrings((long)count, name);
        else
            file.Skip((long)count * each);
        return value;
    }

    private static ulong Number(GgufReader file, string name, GgufType type)
    {
        ReadOnlySpan<byte> bytes = file.Take(type.Bytes());
        ulong bits = 0;
        for (int i = 0; i < bytes.Length; i++)
            bits |= (ulong)bytes[i] << (8 * i);
        if (type == GgufType.Bool && bits > 1)
            throw file.Wrong($"is a bool of {bits}, but should be 0 or 1.", name);
        int unused = 64 - 8 * bytes.Length;
        bool isSigned = type is GgufType.Int8 or GgufType.Int16 or GgufType.Int32;
        return isSigned ? (ulong)((long)bits << unused >> unused) : bits;
    }

    // The place of a tensor is for now its offset into the data.
    private static TensorEntry ReadTensor(GgufReader file, HashSet<string> names)
    {
        int length = (int)file.StringLength("the name of a tensor", MostKeyBytes);
        if (length > MostNameBytes)
            throw file.Wrong(
                $"the name of a tensor should have fewer than {MostNameBytes + 1} bytes, but has {length}: "
                    + $"'{Printable.Name(Encoding.UTF8.GetString(file.Take(MostNameBytes)))}…'."
            );
        if (length == 0)
            throw file.Wrong("the name of a tensor is empty.");
        ReadOnlySpan<byte> bytes = file.Take(length);
        if (!Utf8.IsValid(bytes))
            throw file.Wrong("the name of a tensor is not valid UTF-8.");
        string name = Encoding.UTF8.GetString(bytes);
        if (!names.Add(name))
            throw file.Wrong("is there twice.", tensor: name);

        uint dimensions = file.UInt32();
        if (dimensions is 0 or > MostDimensions)
            throw file.Wrong($"has {dimensions} dimensions, but should have 1 to {MostDimensions}.", tensor: name);
        long[] shape = new long[dimensions];
        for (int i = shape.Length - 1; i >= 0; i--) // the file has the innermost one first
            shape[i] = (long)file.UInt64() is >= 1 and <= MostDimension and var size
                ? size
                : throw file.Wrong($"has a dimension outside of 1 to {MostDimension}.", tensor: name);
        uint number = file.UInt32();
        ulong offset = file.UInt64();
        DType dtype = GgufTypes.Find(number)
            ?? throw file.Wrong(
                $"is of {GgufTypes.NameOf(number)}{(number < 100 ? $" (type {number})" : "")}, which is not read: get "
                    + "the model as MXFP4, Q8_0, F16 or BF16.",
                tensor: name
            );
        (long count, long total) = SizeOf(file, name, dtype, shape);
        if (offset > (ulong)file.Length)
            throw file.Wrong($"has the offset {offset}, but the file ends after {file.Length} bytes.", tensor: name);
        return new TensorEntry(name, dtype, shape, count, (long)offset, total);
    }

    private static (long Count, long Bytes) SizeOf(GgufReader file, string name, DType dtype, long[] shape)
    {
        int block = dtype.BlockValues();
        if (shape[^1] % block != 0)
            throw file.Wrong(
                $"is {dtype.Spelling()}, whose rows are whole blocks of {block} values, but has rows of {shape[^1]}.",
                tensor: name
            );
        try
        {
            long count = 1;
            foreach (long size in shape)
                count = checked(count * size);
            return (count, checked(count / block * dtype.BlockBytes()));
        }
        catch (OverflowException)
        {
            throw file.Wrong($"is {Tensor.Describe(dtype, shape)}, whose size exceeds 63 bits.", tensor: name);
        }
    }

    // Turns offsets into places in the file, ascending.
    private static TensorEntry[] Placed(GgufReader file, TensorEntry[] infos, long data, long alignment)
    {
        Array.Sort(infos, (a, b) => a.Begin.CompareTo(b.Begin));
        long end = 0;
        string before = "";
        for (int i = 0; i < infos.Length; i++)
        {
            TensorEntry info = infos[i];
            if (info.Begin % alignment != 0)
                throw file.Wrong(
                    $"has the offset {info.Begin}, which is no multiple of {alignment}.",
                    tensor: info.Name
                );
            if (info.Begin < end)
                throw file.Wrong(
                    $"has the offset {info.Begin}, where it overlaps '{Printable.Name(before)}', which ends at {end}.",
                    tensor: info.Name
                );
            if (info.ByteLength > file.Length - data - info.Begin)
                throw file.Wrong(
                    $"has the offset {info.Begin} and {info.ByteLength} bytes, but the file ends "
                        + $"{Math.Max(0, file.Length - data)} bytes behind the head: it is cut off. Download it again.",
                    tensor: info.Name
                );
            (end, before) = (info.Begin + info.ByteLength, info.Name);
            infos[i] = info with { Begin = data + info.Begin };
        }
        return infos;
    }
}
