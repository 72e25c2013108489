using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using GptOss.Benchmarks;

if (args is ["quick"])
    Quick.Run();
else if (args is ["cost"])
    Cost.Run();
else if (args is ["batch"])
    SmallBatches.Run();
else if (args is ["conversations"])
    await Conversations.RunAsync();
else
    BenchmarkSwitcher
        .FromAssembly(typeof(Program).Assembly)
        .Run(args, DefaultConfig.Instance.AddColumn(RateColumn.GigabytesPerSecond, RateColumn.GigaMacPerSecond));
