// An answer as an object, a choice and a pattern: dotnet run --project samples/StructuredOutput [-- MODEL-FOLDER]
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using GptOss;
using Microsoft.Extensions.AI;

using IChatClient client = await GptOssChatClient.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);

// The schema comes from the type, and the answer cannot but fit it, whatever the model would rather say.
ChatOptions options = new() { Temperature = 0, MaxOutputTokens = 2_000 };
ChatResponse<Weather> weather = await client.GetResponseAsync<Weather>(
    "The weather?",
    JsonSerializerOptions.Web,
    options
);
Console.WriteLine($"Object: {weather.Result}");
Console.WriteLine($"Choice: {await AskAsync("Is it warm?", GptOssGrammar.Choices("yes", "no", "it depends"))}");
Console.WriteLine($"Pattern: {await AskAsync("Name a plate.", GptOssGrammar.Regex("[A-Z]{2}-[0-9]{2}-[A-Z]{2}"))}");

async Task<ChatResponse> AskAsync(string question, GptOssGrammar grammar)
{
    ChatOptions held = options.Clone();
    held.RawRepresentationFactory = _ => new GptOssRequestOptions { Grammar = grammar };
    return await client.GetResponseAsync(question, held);
}

// What the schema does not say cannot be kept: an int has no bounds in it without [Range].
internal sealed record Weather([property: StringLength(40)] string City, [property: Range(-60, 60)] int Celsius);
