namespace GptOss.Hub;

/// <summary>Something that may succeed when it is tried again.</summary>
/// <param name="final">What is thrown where it does not.</param>
/// <param name="cause">What happened, in a few words for whoever waits.</param>
/// <param name="wait">How long the server asks to wait; null where it does not say.</param>
internal sealed class TransientException(HubException final, string cause, TimeSpan? wait = null)
    : Exception(final.Message)
{
    public HubException Final { get; } = final;

    public string Cause { get; } = cause;

    public TimeSpan? Wait { get; } = wait;
}
