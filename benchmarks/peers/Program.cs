using System.Globalization;
using GptOss.Peers;

try
{
    switch (args)
    {
        case ["write", string file, string layers]:
            RandomGguf.Write(file, Number(layers));
            return 0;
        case ["run", string file, string layers, string threads, string prompt, string decode, string repetitions]:
            Figures measured = LlamaRun.Measure(
                file,
                Number(layers),
                Number(threads),
                Number(prompt),
                Number(decode),
                Number(repetitions)
            );
            Console.WriteLine(measured.ToJson());
            return 0;
        case ["greedy", string file, string prompt, string count]:
            Console.WriteLine(
                string.Join(',', LlamaGreedy.Tokens(file, [.. prompt.Split(',').Select(Number)], Number(count)))
            );
            return 0;
        case ["report", string folder, string version]:
            Console.Write(Report.Of(folder, version));
            return 0;
        default:
            await Console.Error.WriteLineAsync(
                "usage: write GGUF LAYERS | run GGUF LAYERS THREADS PROMPT DECODE REPETITIONS | greedy GGUF IDS COUNT"
                    + " | report FOLDER VERSION"
            );
            return 2;
    }
}
catch (Exception e)
    when (e is IOException or FormatException or InvalidOperationException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"peers: {e.Message}");
    return 1;
}

static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
