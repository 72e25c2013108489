namespace GptOss;

/// <summary>A piece of a call's arguments, given while the model writes the call.</summary>
/// <remarks>
/// Where <see cref="GptOssRequestOptions.StreamCalls"/> is set, a stream holds each as the <c>RawRepresentation</c> of
/// an <c>AIContent</c>. The first of a call comes when the model has named the function, and is empty; the pieces
/// together are the arguments as the model writes them. Behind them comes the call itself, a
/// <c>FunctionCallContent</c> of the same id: only that is known to be whole. In a history they are passed over.
/// </remarks>
/// <param name="CallId">The id of the call, which its <c>FunctionCallContent</c> will have.</param>
/// <param name="Name">The caller's name of the function; a name that is not offered as the model wrote it.</param>
/// <param name="Delta">The next characters of the arguments; "" in the first piece.</param>
public sealed record CallDelta(string CallId, string Name, string Delta);
