using GptOss.Cli.Bench;

namespace GptOss.Tests.Cli;

public sealed class BenchCommandTests
{
    [Fact]
    public void A_shape_has_the_bytes_of_the_published_checkpoint()
    {
        Assert.Equal(13_761_264_768, PublishedShape.Small.WeightBytes(24));
        Assert.Equal(65_248_815_744, PublishedShape.Large.WeightBytes(36));
    }

    [Fact]
    public void Memory_that_will_not_do_is_refused_with_the_numbers_and_a_way_out()
    {
        var request = new BenchRequest(null, PublishedShape.Small, 24, 256, 32, 3, ModelOptions.Default);

        BenchCommand.CheckMemory(request, available: 16L << 30);
        var refusal = Assert.Throws<InsufficientMemoryException>(() => BenchCommand.CheckMemory(request, available: 8L << 30));

        Assert.Contains("13.09 GiB", refusal.Message);
        Assert.Contains("8.00 GiB", refusal.Message);
        // 2.16 GiB of embedding and head, 0.25 GiB of overhead, 0.44 GiB a layer; keys and values are 0.03 GiB of the whole.
        Assert.Contains("--layers 12", refusal.Message);
        Assert.Contains("Not even one layer", Assert.Throws<InsufficientMemoryException>(
            () => BenchCommand.CheckMemory(request, available: 1L << 30)).Message);
    }

    [Fact]
    public void A_model_of_the_users_own_is_not_refused() =>
        BenchCommand.CheckMemory(new BenchRequest("folder", null, 0, 256, 32, 3, ModelOptions.Default), available: 0);
}
