"""Names, things and invented words: a model that has seen many invented words learns to copy letters."""

NAMES = "Maria Susan Ben Tom Ivy Anna Laura Paul Nina Otto Rosa David Grace Leo Max Mark Sara Jürgen Tina Liam".split()
CITIES = "Lisbon Madrid Paris Rome Oslo Vienna Warsaw Athens Ghent Miami Quito Taipei Accra Beijing Seattle".split()
THINGS = (
    "apple marble coin book lamp anchor cheese cookie rabbit horse dog cat parrot turtle canary hamster lizard table"
    " chair window door basket bucket candle bridge garden river violin flute hammer pillow feather"
).split()
PETS = "dog cat rabbit horse parrot turtle canary hamster lizard goldfish".split()
FOODS = "bread soup rice cheese pizza noodles salad stew pancakes beans".split()
JOBS = "teacher farmer baker doctor driver singer".split()
GAMES = "tennis chess football cards golf".split()
LANGUAGES = "French Dutch Arabic Polish Greek Spanish".split()
_BEGINS = "b br c d dr f fl g gr h j k kr l m n p pl r s st t tr v w z".split()
_ENDS = ["", "", "", "n", "r", "s", "t", "x", "l", "nd", "m"]


def invented(random):
    """A word of one to three syllables that means nothing."""
    return "".join(
        random.choice(_BEGINS) + random.choice("aeiou") + random.choice(_ENDS) for _ in range(random.randint(1, 3))
    )


def thing(random):
    return random.choice(THINGS) if random.random() < 0.5 else invented(random)


def place(random):
    return random.choice(CITIES) if random.random() < 0.5 else invented(random).capitalize()


def date(random):
    return f"{random.randint(2018, 2029)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
