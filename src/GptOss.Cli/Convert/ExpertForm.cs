namespace GptOss.Cli.Convert;

/// <summary>How the experts of a converted model are stored: all of them in one form.</summary>
internal enum ExpertForm
{
    /// <summary>Codes of four bits with a scale for 32 of them, as OpenAI publishes both models.</summary>
    Mxfp4,

    /// <summary>Numbers of sixteen bits, as training tools save them.</summary>
    BFloat16,
}
