using System.Security.Cryptography;
using System.Text;

namespace GptOss.Tests.Oracles;

/// <summary>
/// Numbers that depend on a seed and a name only, so that each tensor has its own, in whatever order they are made.
/// </summary>
internal sealed class TinyRandom
{
    private ulong _state;

    public TinyRandom(int seed, string name) =>
        _state = BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{name}")));

    /// <summary>Uniform in [0, 1). SplitMix64: Steele, Lea and Flood, 2014.</summary>
    public double Uniform()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>Normal with the given mean and deviation, by Box and Muller.</summary>
    public double Normal(double mean, double deviation) =>
        mean + (deviation * Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform()));

    public double[] Normals(int count, double mean, double deviation)
    {
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
            values[i] = Normal(mean, deviation);
        return values;
    }

    public double[] LogNormals(int count, double mean, double deviation) =>
        Array.ConvertAll(Normals(count, mean, deviation), Math.Exp);
}
