using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>The operations that treat each row by itself.</summary>
internal static class RowWise
{
    /// <summary>y = RMSNorm(x), row by row; y may be x.</summary>
    public static Rows RmsNorm(Rows x, Vector weight, float epsilon, Rows y)
    {
        for (int row = 0; row < x.Count; row++) Kernels.RmsNorm.Row(x[row], weight.Span, epsilon, y[row]);
        return y;
    }

    /// <summary>Rotates every head of every row by the angles of its position.</summary>
    public static void Rotate(Rows heads, Rows angles)
    {
        for (int row = 0; row < heads.Count; row++) Rotation.Row(heads[row], angles[row]);
    }

    /// <summary>y = SwiGLU(u): [rows, 2 × intermediate] → [rows, intermediate].</summary>
    public static Rows SwiGlu(Rows u, ModelConfig c, Rows y)
    {
        for (int row = 0; row < u.Count; row++) Kernels.SwiGlu.Row(u[row], c.SwiGluLimit, y[row], c.SwiGluAlpha);
        return y;
    }

    /// <summary>x += y.</summary>
    public static void Add(Rows x, Rows y) => TensorPrimitives.Add(x.Values, y.Values, x.Values);
}
