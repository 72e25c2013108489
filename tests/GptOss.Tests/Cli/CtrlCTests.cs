using GptOss.Cli.Chat;

namespace GptOss.Tests.Cli;

public sealed class CtrlCTests
{
    private readonly CtrlC _ctrlC;
    private int _warnings;

    public CtrlCTests() => _ctrlC = new CtrlC(() => _warnings++);

    [Fact]
    public void It_stops_the_answer_and_the_tool_goes_on()
    {
        using var answer = new CancellationTokenSource();
        _ctrlC.BeginAnswer(answer);
        Assert.True(_ctrlC.Handle());
        Assert.True(answer.IsCancellationRequested);
        Assert.Equal(0, _warnings);
    }

    [Fact]
    public void A_second_one_ends_an_answer_that_does_not_stop()
    {
        using var answer = new CancellationTokenSource();
        _ctrlC.BeginAnswer(answer);
        Assert.True(_ctrlC.Handle());
        Assert.False(_ctrlC.Handle());
    }

    [Fact]
    public void Between_answers_the_first_warns_and_the_second_ends()
    {
        Assert.True(_ctrlC.Handle());
        Assert.Equal(1, _warnings);
        Assert.False(_ctrlC.Handle());
    }

    [Fact]
    public void An_answer_makes_the_warning_forgotten()
    {
        using var answer = new CancellationTokenSource();
        Assert.True(_ctrlC.Handle());
        _ctrlC.BeginAnswer(answer);
        _ctrlC.EndAnswer();
        Assert.True(_ctrlC.Handle());
        Assert.False(answer.IsCancellationRequested);
        Assert.Equal(2, _warnings);
    }

    [Fact]
    public void A_command_in_between_makes_the_warning_forgotten()
    {
        Assert.True(_ctrlC.Handle());
        _ctrlC.ForgetWarning();
        Assert.True(_ctrlC.Handle());
        Assert.Equal(2, _warnings);
    }
}
