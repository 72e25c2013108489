"""Harmony conversations as text with markers, as GptOss writes them and as the model is to answer."""

from dataclasses import dataclass

CHANNELS = "# Valid channels: analysis, commentary, final. Channel must be included for every message."
CALLS = "\nCalls to these tools must go to the commentary channel: 'functions'."
ASKED = "<|start|>assistant"  # what a prompt ends with


@dataclass
class Example:
    """What the model is given and what it should say."""

    skill: str
    effort: str
    prompt: str
    answer: str


@dataclass
class Function:
    """A function that is offered: names of arguments with their types, as TypeScript writes them."""

    name: str
    description: str
    arguments: dict

    def typescript(self):
        comment = f"// {self.description}\n" if self.description else ""
        if not self.arguments:
            return f"{comment}type {self.name} = () => any;\n\n"
        fields = "".join(f"{name}: {kind},\n" for name, kind in self.arguments.items())
        return f"{comment}type {self.name} = (_: {{\n{fields}}}) => any;\n\n"


def system(effort, date, with_functions=False):
    return (
        "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n"
        f"Knowledge cutoff: 2024-06\nCurrent date: {date}\n\nReasoning: {effort}\n\n"
        f"{CHANNELS}{CALLS if with_functions else ''}<|end|>"
    )


def developer(instructions="", functions=()):
    parts = [f"# Instructions\n\n{instructions}"] if instructions else []
    if functions:
        types = "".join(function.typescript() for function in functions)
        parts.append(f"# Tools\n\n## functions\n\nnamespace functions {{\n\n{types}}} // namespace functions")
    text = "\n\n".join(parts)
    return f"<|start|>developer<|message|>{text}<|end|>" if parts else ""


def user(text):
    return f"<|start|>user<|message|>{text}<|end|>"


def _thought(text):
    return f"<|channel|>analysis<|message|>{text}<|end|>{ASKED}" if text else ""


def final(text, thought=""):
    return f"{_thought(thought)}<|channel|>final<|message|>{text}<|return|>"


def call(name, arguments, thought=""):
    return (
        f"{_thought(thought)}<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{arguments}<|call|>"
    )


def result(name, text):
    return f"<|start|>functions.{name} to=assistant<|channel|>commentary<|message|>{text}<|end|>"
