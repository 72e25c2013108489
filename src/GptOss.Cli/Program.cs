using GptOss.Cli.Shell;

return await CommandLine.RunAsync(args).ConfigureAwait(false);
