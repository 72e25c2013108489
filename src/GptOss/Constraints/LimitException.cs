namespace GptOss.Constraints;

/// <summary>
/// A grammar is larger than what is compiled. Whoever knows the place in the caller's schema, pattern or grammar turns
/// it into a <see cref="SchemaException"/>.
/// </summary>
/// <param name="what">Goes on from the name of the thing: <c>has 4,097 characters, and the limit is 4,096</c>.</param>
internal sealed class LimitException(string what) : Exception(what);
