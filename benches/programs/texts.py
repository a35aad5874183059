"""JSON there and back, and regular expressions over the text: C code that makes Python objects."""

import json
import re

ENTRIES = 2000
ROUNDS = 25
WORD = re.compile(r"\b(?P<first>[a-z])(?P<rest>\w*?)(?P<number>\d+)\b")


def document(turn):
    return [
        {"id": n, "name": "user%d" % (n * turn), "tags": ["t%d" % (n % 7), "common"], "score": n / (turn + 1)}
        for n in range(ENTRIES)
    ]


def main():
    matches = letters = 0
    for turn in range(ROUNDS):
        text = json.dumps(document(turn), indent=1)
        assert json.loads(text)[-1]["id"] == ENTRIES - 1
        for found in WORD.finditer(text):
            matches += 1
            letters += len(found.group("rest"))
        text = WORD.sub(lambda found: found.group("number"), text)
        letters += len(text.split())
    print(matches, letters)


main()
