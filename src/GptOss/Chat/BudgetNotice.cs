using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>
/// Tells, once for a model, how much memory keys and values may take, since nobody may have said it.
/// </summary>
/// <param name="bytes">The most bytes that the keys and values of all requests may take.</param>
/// <param name="pages">How many pages that is.</param>
/// <param name="tokens">For how many tokens that is enough in every layer.</param>
/// <param name="isDefault">Whether it comes from the memory that was free, because nobody said it.</param>
internal sealed class BudgetNotice(long bytes, long pages, long tokens, bool isDefault)
{
    private bool _isLogged;

    /// <summary>Logs the budget, unless a logger that takes information has had it before.</summary>
    public void Log(ILogger logger)
    {
        if (!logger.IsEnabled(LogLevel.Information) || Interlocked.Exchange(ref _isLogged, true))
            return;
        string origin = isDefault ? "by the memory that was free" : "by ModelOptions.KvCacheBytes";
        ChatLog.Budget(logger, bytes, origin, pages, tokens);
    }
}
