// Asks a model one question and writes its answer as it comes: dotnet run --project samples/HelloChat [-- MODEL-FOLDER]
using GptOss;

const string Question = "What is 345 + 678?";

await using GptOssModel model = await GptOssModel.LoadAsync(args.Length > 0 ? args[0] : TinyGptOss.Folder);
GptOssTokenizer tokenizer = model.Tokenizer;

// Harmony, the chat format of gpt-oss: <|start|> role <|message|> text <|end|>, then the role whose turn it is.
string system = "You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n"
    + $"Current date: {DateTime.Now:yyyy-MM-dd}\n\nReasoning: medium\n\n"
    + "# Valid channels: analysis, commentary, final. Channel must be included for every message.";
int[] prompt = [.. Message("system", system), .. Message("user", Question), Special("start"), .. tokenizer.Encode("assistant")];

Console.WriteLine(Question);
await foreach (string text in tokenizer.DecodeAsync(Answer(model.Generate(prompt, SamplingOptions.Greedy))))
    Console.Write(text);
Console.WriteLine();

int Special(string name) => tokenizer.SpecialTokens[$"<|{name}|>"];

int[] Message(string role, string text) =>
    [Special("start"), .. tokenizer.Encode(role), Special("message"), .. tokenizer.Encode(text), Special("end")];

// The model first thinks, in the channel "analysis"; its answer stands behind <|channel|> final <|message|>.
async IAsyncEnumerable<int> Answer(IAsyncEnumerable<int> tokens)
{
    List<int> words = [];   // since the last special token
    bool isAnswer = false;
    await foreach (int token in tokens)
    {
        if (tokenizer.IsSpecial(token))
            (isAnswer, words) = (token == Special("message") && tokenizer.Decode(words) == "final", []);
        else if (isAnswer)
            yield return token;
        else
            words.Add(token);
    }
}
