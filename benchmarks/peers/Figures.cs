using System.Text.Json;

namespace GptOss.Peers;

/// <summary>
/// One run of one engine: the fields of <c>gptoss bench --json</c> that the report compares, under the same names.
/// </summary>
/// <param name="LoadS">Seconds until it could take a prompt.</param>
/// <param name="PrefillTokPerS">Tokens of the prompt per second, the median of the run's repetitions.</param>
/// <param name="DecodeTokPerS">Tokens decoded one by one per second, the median of the run's repetitions.</param>
/// <param name="ReadBandwidthGbPerS">What a plain read of the weights reached in this run, in 10⁹ bytes per
/// second.</param>
/// <param name="BytesPerToken">Bytes that a decoded token reads.</param>
/// <param name="DecodeOfStreams">Decoding of many requests at once; null for an engine that answers one after the
/// other, or was not asked for it.</param>
/// <param name="IsPeer">Whether the engine answers one after the other.</param>
internal sealed record Figures(
    double LoadS,
    double PrefillTokPerS,
    double DecodeTokPerS,
    double ReadBandwidthGbPerS,
    long BytesPerToken,
    StreamFigures? DecodeOfStreams = null,
    bool IsPeer = false
)
{
    private static readonly JsonSerializerOptions SnakeCase = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Prefills of other lengths; empty where none were asked for.</summary>
    public IReadOnlyList<PrefillFigures> Prefills { get; init; } = [];

    /// <summary>
    /// Tokens per second of many answers together: as many as one has where an engine makes one after the other; null
    /// where they were not measured.
    /// </summary>
    public double? ManyTokPerS => IsPeer ? DecodeTokPerS : DecodeOfStreams?.TotalTokPerS;

    /// <summary>Of the read bandwidth, by decoding.</summary>
    public double ShareOfBandwidth() => BytesPerToken * DecodeTokPerS / 1e9 / ReadBandwidthGbPerS;

    public string ToJson() => JsonSerializer.Serialize(this, SnakeCase);

    /// <exception cref="InvalidOperationException">The file does not hold such an object.</exception>
    public static Figures FromFile(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<Figures>(File.ReadAllText(file), SnakeCase)
                ?? throw new InvalidOperationException($"{Path.GetFileName(file)} holds no figures.");
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException(
                $"{Path.GetFileName(file)} does not hold the expected figures: {e.Message}",
                e
            );
        }
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
