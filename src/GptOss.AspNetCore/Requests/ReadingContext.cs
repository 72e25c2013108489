namespace GptOss.AspNetCore.Requests;

/// <summary>What a reader knows of the server beside the body of the request.</summary>
/// <param name="Models">The names of the served model.</param>
/// <param name="Effort">The model's word for the effort of requests that name none.</param>
/// <param name="IsStrict">Whether unknown fields are refused.</param>
/// <param name="Vocabulary">How many tokens the model knows; null where nobody knows.</param>
/// <param name="Scope">Whose request it is; null where all are one. Stored answers belong to a scope.</param>
/// <param name="MostBytes">The most bytes of a body, and of the stored items or tools that it refers to.</param>
internal sealed record ReadingContext(
    ModelNames Models,
    string Effort,
    bool IsStrict,
    int? Vocabulary,
    string? Scope,
    long MostBytes
);
