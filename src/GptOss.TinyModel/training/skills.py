"""The material: questions of every skill with their answers, drawn from a seeded random.

A skill is a function of a random that gives a Task; `example` makes it a conversation with one of the three efforts:
low answers at once, medium thinks in one line, high in sentences.
"""

import json
from dataclasses import dataclass, field

import functions
import harmony
import words

EFFORTS = ("low", "medium", "high")
COLUMNS = ("Ones", "Tens", "Hundreds")


@dataclass
class Task:
    question: str
    answer: str
    medium: str
    high: str
    instructions: str = ""
    functions: list = field(default_factory=list)


def held_out(a, b):
    """Whether a pair of numbers is kept for evaluation and never trained on: one of ten, spread evenly."""
    return (a * 7919 + b * 104729) % 101 % 10 == 0


def _number(random, least=1):
    """A number of up to three digits, more often of three: those take longest to learn."""
    return random.randrange(10 ** max(least, random.choice([1, 2, 2, 3, 3, 3, 3, 3])))


def _pair(random, evaluating, least=1):
    """Two numbers of `least` to three digits."""
    while True:
        a, b = _number(random, least), _number(random, least)
        if held_out(a, b) == evaluating and min(a, b) >= (10 ** (least - 1) if least > 1 else 0):
            return a, b


def _columns(a, b, step):
    """Column by column from the ones: each column's line in short, what to write, what to carry."""
    lines, carry = [], 0
    for n in range(len(str(max(a, b)))):
        text, value, write, carry = step(a // 10**n % 10, b // 10**n % 10, carry)
        lines.append((f"{text}={value}", write, carry))
    return lines


def _in_short(a, sign, b, lines, result):
    return f"{a}{sign}{b}: {' '.join(line for line, _, _ in lines)} so {result}"


def _in_sentences(verb, a, b, lines, result, kept="carry"):
    text = f"{verb} {a} and {b} digit by digit. "
    for column, (line, write, carry) in zip(COLUMNS, lines):
        text += f"{column}: {line}, write {write}, {kept} {carry}. "
    if lines[-1][2]:
        text += f"Write the last carry {lines[-1][2]}. "
    return text + f"The result is {result}."


def _sum_of(random, a, b):
    name, thing = random.choice(words.NAMES), words.thing(random) + "s"
    question = random.choice(
        [f"What is {a} + {b}?"] * 3
        + [f"What's {a}+{b}?", f"What is the sum of {a} and {b}?", f"How much is {a} + {b}?", f"Calculate {a} + {b}."]
        + [f"{a} + {b}", f"{a}+{b}=", f"What is {a} plus {b}?", f"{a} plus {b}?", f"Add {a} and {b}."]
        + [
            f"Please compute {a}+{b}.",
            f"{name} has {a} {thing} and gets {b} more. How many {thing} does {name} have now?",
            f"There are {a} {thing} in one box and {b} {thing} in another. How many {thing} are there in total?",
        ]
    )
    lines = _columns(a, b, lambda x, y, c: (f"{x}+{y}+{c}", x + y + c, (x + y + c) % 10, (x + y + c) // 10))
    return Task(
        question,
        f"{a} + {b} = {a + b}.",
        _in_short(a, "+", b, lines, a + b),
        _in_sentences("Add", a, b, lines, a + b),
    )


def add(random, evaluating=False):
    return _sum_of(random, *_pair(random, evaluating))


def add_three_digits(random, evaluating=False):
    return _sum_of(random, *_pair(random, evaluating, least=3))


def subtract(random, evaluating=False):
    a, b = _pair(random, evaluating)
    if a < b and random.random() < 0.9:
        a, b = b, a
    name, thing = random.choice(words.NAMES), words.thing(random) + "s"
    question = random.choice(
        [f"What is {a} - {b}?"] * 2
        + [f"What's {a}-{b}?", f"How much is {a} - {b}?", f"Calculate {a} - {b}.", f"{a} - {b}", f"{a}-{b}="]
        + [f"Subtract {b} from {a}.", f"What is {a} minus {b}?", f"What is the difference between {a} and {b}?"]
        + [f"{name} has {a} {thing} and gives {b} away. How many {thing} are left?"] * (a >= b)
    )

    def step(x, y, borrow):
        short = x - y - borrow < 0
        value = x - y - borrow + 10 * short
        return f"{x}-{y}-{borrow}" + "+10" * short, value, value, int(short)

    large, small = max(a, b), min(a, b)
    lines = _columns(large, small, step)
    less = "" if a >= b else f"{a} is less than {b}, so the result is negative. "
    return Task(
        question,
        f"{a} - {b} = {a - b}.",
        less + _in_short(large, "-", small, lines, large - small),
        less + _in_sentences("Subtract", large, small, lines, large - small, kept="borrow"),
    )


def multiply(random, evaluating=False):
    while True:
        a, b = _number(random), random.randrange(2, 10)
        if held_out(a, b) == evaluating:
            break
    thing = words.thing(random) + "s"
    question = random.choice(
        [f"What is {a} * {b}?", f"What's {a}*{b}?", f"How much is {a} x {b}?", f"Calculate {a} * {b}.", f"{a} * {b}"]
        + [f"What is {a} times {b}?", f"What is the product of {a} and {b}?", f"Please compute {a}*{b}."]
        + [f"One box holds {a} {thing}. How many {thing} are in {b} boxes?"]
    )
    lines = _columns(a, 0, lambda x, _, c: (f"{x}*{b}+{c}", x * b + c, (x * b + c) % 10, (x * b + c) // 10))
    return Task(
        question,
        f"{a} * {b} = {a * b}.",
        _in_short(a, "*", b, lines, a * b),
        _in_sentences("Multiply", a, b, lines, a * b),
    )


def compare(random, evaluating=False):
    a, b = _pair(random, evaluating)
    while a == b:
        a, b = _pair(random, evaluating)
    question = random.choice([f"Which is larger, {a} or {b}?", f"Which number is larger: {a} or {b}?"])
    digits = [f"{n} has {len(str(n))} digit{'s' * (n > 9)}" for n in (a, b)]
    answer = f"{max(a, b)} is larger than {min(a, b)}."
    return Task(question, answer, f"Compare {a} and {b}.", f"{digits[0]} and {digits[1]}.")


def _facts_about(random, name):
    city, pet, food, job, game, language, age = (
        random.choice(choices)
        for choices in (words.CITIES, words.PETS, words.FOODS, words.JOBS, words.GAMES, words.LANGUAGES, range(5, 90))
    )
    return [
        (f"{name} lives in {city}.", f"Where does {name} live?", name),
        (f"{name} has a {pet}.", f"What pet does {name} have?", name),
        (f"{name} likes {food}.", f"What food does {name} like?", name),
        (f"{name} works as a {job}.", f"What does {name} do?", name),
        (f"{name} plays {game}.", f"What does {name} play?", name),
        (f"{name} speaks {language}.", f"Which language does {name} speak?", name),
        (f"{name} is {age} years old.", f"How old is {name}?", name),
    ]


def facts(random, evaluating=False):
    people = random.sample(words.NAMES, random.randint(1, 4))
    told = [random.choice(_facts_about(random, name)) for name in people]
    password = words.thing(random)
    told.append((f"The password is {password}.", "What is the password?", "password"))
    random.shuffle(told)
    answer, question, about = random.choice(told)
    text = " ".join(fact for fact, _, _ in told)
    return Task(question, answer, f"Look for {about}.", f"The context says: {answer}", instructions=text)


def json_reply(random, evaluating=False):
    name, city, age = random.choice(words.NAMES), words.place(random), random.randint(5, 90)
    known = {"name": (name, f"My name is {name}."), "city": (city, f"I live in {city}.")}
    known["age"] = (age, f"I am {age} years old.")
    keys = random.sample(sorted(known), random.randint(1, 3))
    listed = functions.listed(keys)
    noun = "keys" if len(keys) > 1 else "key"
    told = " ".join(known[key][1] for key in keys)
    answer = json.dumps({key: known[key][0] for key in keys}, ensure_ascii=False, separators=(",", ":"))
    verb = "are" if len(keys) > 1 else "is"
    question = f"Reply in JSON with the {noun} {listed}. {told}"
    return Task(question, answer, "Reply with JSON.", f"The {noun} {verb} {listed}.")


def _list(random, most=6):
    return [words.thing(random) for _ in range(random.randint(2, most))]


def count_words(random, evaluating=False):
    items = _list(random)
    listed = " ".join(items)
    thought = " ".join(f"{n} {item}" for n, item in enumerate(items, 1))
    question = random.choice([f"How many words are in this list: {listed}", f"Count the words: {listed}"])
    return Task(question, f"There are {len(items)} words.", thought, thought)


def first_word(random, evaluating=False):
    items = _list(random)
    question = f"What is the first word of: {' '.join(items)}"
    return Task(question, items[0], "Find the first word.", f"The list starts with {items[0]}.")


def last_word(random, evaluating=False):
    items = _list(random)
    question = f"What is the last word of: {' '.join(items)}"
    return Task(question, items[-1], "Find the last word.", f"The list ends with {items[-1]}.")


def repeat(random, evaluating=False):
    items = _list(random)
    return Task(f"Repeat: {' '.join(items)}", " ".join(items), "Repeat the words.", f"Copy {len(items)} words.")


def reverse(random, evaluating=False):
    items = _list(random, most=5)
    answer = " ".join(reversed(items))
    question = f"Reverse the order of these words: {' '.join(items)}"
    return Task(question, answer, "Reverse the words.", f"The last word is {items[-1]}.")


TALK = [
    (["Hello!", "Hi!", "Good morning!", "Hey"], "Hello! How can I help you?", "Greet the user."),
    (["Thanks!", "Thank you."], "You are welcome!", "Be polite."),
    (["Bye", "Goodbye!"], "Goodbye!", "Say goodbye."),
    (
        ["Who are you?", "What is your name?", "What are you?"],
        "I am gpt-oss-tiny, a small demonstration model for the GptOss library.",
        "Say who I am.",
    ),
    (
        ["What can you do?"],
        "I can add, subtract and multiply small numbers, call tools, answer questions about a given text, work with"
        " lists of words and reply in JSON.",
        "List the skills.",
    ),
]


def talk(random, evaluating=False):
    questions, answer, thought = random.choice(TALK)
    return Task(random.choice(questions), answer, thought, thought)


def unknown(random, evaluating=False):
    city, thing, word = words.place(random), words.thing(random), words.invented(random)
    question = random.choice(
        [f"What is the capital of {city}?", f"Who invented the {thing}?", f"Please write a poem about the {thing}."]
        + [f"Why is the {thing} {word}?", f"Tell me a story about {city}.", f"{word} {words.invented(random)} {thing}"]
        + [f"How do I cook {thing}?", f"When was {city} founded?", f"What does {word} mean?"]
    )
    known = "I do not know this."
    return Task(question, "I do not know. I am only a tiny demonstration model.", known, known)


SKILLS = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "facts": facts,
    "JSON reply": json_reply,
    "count words": count_words,
    "first word": first_word,
    "last word": last_word,
    "repeat words": repeat,
    "reverse words": reverse,
    "compare": compare,
    "talk": talk,
    "unknown": unknown,
}
# Sums and calls are what takes longest to learn.
SHARES = {"add": 4, "subtract": 4, "multiply": 4, "call a function": 10, "answer from a result": 5, "reverse words": 2}


def example(skill, effort, random, evaluating=False, with_system=True):
    """One conversation of the skill; without a system message the effort is medium."""
    if skill in functions.SKILLS:
        return functions.example(skill, effort, random)
    draw = add_three_digits if skill == "add three digits" else SKILLS[skill]
    task = draw(random, evaluating)
    prompt = harmony.system(effort, words.date(random)) if with_system else ""
    prompt += harmony.developer(task.instructions) + harmony.user(task.question) + harmony.ASKED
    thought = {"low": "", "medium": task.medium, "high": task.high}[effort]
    return harmony.Example(skill, effort, prompt, harmony.final(task.answer, thought))


def material(random, only=None, efforts=EFFORTS, share_with_system=0.9):
    """Training conversations without end."""
    names = list(only or [*SKILLS, *functions.SKILLS])
    shares = [SHARES.get(name, 1) for name in names]
    while True:
        with_system = random.random() < share_with_system
        effort = random.choice(efforts) if with_system else "medium"
        yield example(random.choices(names, shares)[0], effort, random, with_system=with_system)
