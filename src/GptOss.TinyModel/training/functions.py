"""The material of function calls: one to four functions offered, one call, and the answer from a result."""

import json

import harmony
import words

SKILLS = ("call a function", "answer from a result")


def listed(items):
    """a, b and c."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _number(random):
    return random.randrange(10 ** random.randint(1, 3))


def _text(random):
    return " ".join(words.thing(random) for _ in range(random.randint(1, 3)))


def _offer(random, names, description, arguments):
    """A function under one of its names, with one of the names of each argument."""
    chosen = {random.choice(options.split("|")): kind for options, kind in arguments}
    return harmony.Function(random.choice(names.split()), random.choice([description, description, ""]), chosen)


def _known(random):
    """Functions of daily life: the function, the arguments of a call, ways to ask for it."""
    city, day, number, text, name = (
        words.place(random), words.date(random), _number(random), _text(random), random.choice(words.NAMES)
    )
    time = f"{random.randrange(24):02}:{random.randrange(6)}0"
    other = words.place(random)
    return random.choice(
        [
            (
                _offer(
                    random, "get_weather get_current_weather", "Gets the current weather.",
                    [("city|location", "string")],
                ),
                [city],
                [f"What is the weather in {city}?", f"How is the weather in {city}?", f"Weather in {city}?"],
            ),
            (
                _offer(random, "get_time what_time", "Gets the time in a city.", [("city|place|timezone", "string")]),
                [city],
                [f"What is the time in {city}?", f"Time in {city}?", f"Tell me the local time in {city}."],
            ),
            (
                _offer(
                    random, "book_table reserve_table", "Books a table.",
                    [("restaurant|place", "string"), ("people|guests", "number"), ("time|at", "string")],
                ),
                [city, number, time],
                [
                    f"Book a table at {city} for {number} people at {time}.",
                    f"I need a table at {city} for {number} at {time}.",
                ],
            ),
            (
                _offer(
                    random, "search_flights find_flight", "Finds a flight between two cities.",
                    [("origin|from", "string"), ("destination|to", "string"), ("date|day", "string")],
                ),
                [city, other, day],
                [f"Find flights from {city} to {other} on {day}.", f"I want to fly from {city} to {other} on {day}."],
            ),
            (
                _offer(random, "set_timer start_timer timer", "Starts a timer.", [("minutes|duration", "number")]),
                [number],
                [f"Set a timer for {number} minutes.", f"Timer for {number} minutes please."],
            ),
            (
                _offer(random, "search_web web_search", "Searches the web.", [("query|q|text", "string")]),
                [text],
                [f"Search for {text}.", f"Find information about {text}."],
            ),
            (
                _offer(random, "get_user find_user", "Finds a user by id.", [("user_id|id", "number")]),
                [number],
                [f"Who is user {number}?", f"Show me user {number}."],
            ),
            (
                _offer(
                    random, "play_song play_music", "Plays a song.",
                    [("track|title", "string"), ("artist|singer", "string")],
                ),
                [text, name],
                [f"Play the song {text} by {name}"],
            ),
            (
                _offer(
                    random, "compare_weather", "Gets the weather in several cities.", [("cities|places", "string[]")]
                ),
                [[city, other]],
                [f"Weather in {city} and {other}", f"Compare the weather in {city} and {other}."],
            ),
            (
                _offer(random, "get_location where_am_i", "Gets the location of the user.", []),
                [],
                ["Where am I?", "What is my location?"],
            ),
        ]
    )


def _lookup(random):
    """A function that finds one property, real or invented, of one thing."""
    what = words.thing(random)
    numeric = random.random() < 0.4
    item = _number(random) if numeric else random.choice([words.thing, words.place])(random)
    verb = random.choice(["get", "find", "read", "show", "query", "lookup"])
    function = _offer(
        random, f"{verb}_{what} {what}_{verb} {what}", f"Returns the {what}.",
        [("item|key|id|name|entity", "number" if numeric else "string")],
    )
    asked = [f"What is the {what} of {item}?", f"Get the {what} of {item}.", f"{what} of {item}?"]
    asked += [f"I need the {what} of {item}.", f"Find the {what} for {item}", f"Show me the {what} of {item}"]
    return function, [item], asked


def _named(random):
    """A function with a name that means nothing, called by this name."""
    name = f"{words.thing(random)}_{words.thing(random)}"
    count = random.randint(1, 3)
    keys = [words.thing(random) for _ in range(count)]
    while len(set(keys)) < count:
        keys = [words.thing(random) for _ in range(count)]
    values = [_number(random) if random.random() < 0.4 else words.thing(random) for _ in keys]
    kinds = {key: "number" if isinstance(value, int) else "string" for key, value in zip(keys, values)}
    function = harmony.Function(name, random.choice(["", f"Runs the {name.split('_')[0]}."]), kinds)
    pairs = [f"{key} {value}" for key, value in zip(keys, values)]
    asked = [f"Use {name} with {' and '.join(pairs)}.", f"Please run {name} with {' and '.join(pairs)}."]
    asked += [f"{name}: {', '.join(pairs)}"]
    asked += [f"Call {name} with {', '.join(pair.replace(' ', '=') for pair in pairs)}"]
    return function, values, asked


def _task(random):
    return random.choice([_known, _known, _lookup, _named])(random)


def _result(random):
    """What a function gives back, and the sentence that says it."""
    if random.random() < 0.1:
        reason = random.choice(["not found", "timeout", words.invented(random)])
        return {"error": reason}, f"The tool reported an error: {reason}."
    keys = random.sample(["result", "value", "temperature", "status", "price", "order_id", "total", "name"], 2)
    keys = random.sample([*keys, words.invented(random)], random.randint(1, 2))
    values = [_number(random) if random.random() < 0.4 else _text(random) for _ in keys]
    told = [f"the {key.replace('_', ' ')} is {value}" for key, value in zip(keys, values)]
    sentence = listed(told) + "."
    return dict(zip(keys, values)), sentence[0].upper() + sentence[1:]


def example(skill, effort, random):
    """A conversation that ends with the call, or with the answer from the call's result."""
    function, values, asked = _task(random)
    offered = [function]
    for _ in range(random.choice([0, 0, 0, 1, 1, 1, 2, 3])):
        other = _task(random)[0]
        if other.name not in [f.name for f in offered]:
            offered.append(other)
    random.shuffle(offered)
    arguments = dict(zip(function.arguments, values))
    written = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    thought = {"low": "", "medium": f"Need to use function {function.name}."}.get(effort)
    if thought is None:
        shown = [", ".join(v) if isinstance(v, list) else v for v in values]
        told = "".join(f" {key} is {value}." for key, value in zip(arguments, shown))
        thought = f"The user needs the function {function.name}.{told}"
    prompt = harmony.system(effort, words.date(random), with_functions=True) + harmony.developer("", offered)
    prompt += harmony.user(random.choice(asked)) + harmony.ASKED
    answer = harmony.call(function.name, written, thought)
    if skill == "answer from a result":
        content, sentence = _result(random)
        prompt += answer + harmony.result(function.name, json.dumps(content, ensure_ascii=False)) + harmony.ASKED
        answer = harmony.final(sentence, "The tool returned a result." if effort == "high" else "")
    return harmony.Example(skill, effort, prompt, answer)
