"""The work behind python.proftrace: documents, sorting, patterns, strings, copies, a second thread."""

import json
import random
import re
import threading

WORDS = re.compile(r"([a-z]+)-(\d+)")


def documents(count):
    """Objects that live on, and objects that do not."""
    random.seed(7)
    kept = []
    for number in range(count):
        rows = [{"id": i, "name": f"item-{i * number}", "tags": ["a", "b"] * (i % 4)} for i in range(40)]
        text = json.dumps({"number": number, "rows": rows})
        if number % 10 == 0:
            kept.append(json.loads(text))
    return kept


def ordered(documents):
    rows = [row for document in documents for row in document["rows"]]
    return sorted(rows, key=lambda row: (len(row["tags"]), row["name"]))


def found(rows):
    text = " ".join(row["name"] for row in rows)
    return sum(int(number) for _, number in WORDS.findall(text))


def page(rows):
    lines = []
    for row in rows:
        lines.append("<li>" + row["name"].replace("-", " ").title() + "</li>")
    return "\n".join(lines)


def nested(depth, rows):
    return len(page(rows[:50])) if depth == 0 else nested(depth - 1, rows)


def copies(rounds):
    data = bytearray(range(256)) * 1024
    total = 0
    for _ in range(rounds):
        total += len(bytes(data)) + len(data[1000:200000])
    return total


def background(rounds):
    for number in range(rounds):
        table = {str(i): [i] * 20 for i in range(2000)}
        sorted(table, reverse=True)


def main():
    other = threading.Thread(target=background, args=(800,), name="background")
    other.start()
    for round in range(30):
        kept = documents(1500)
        rows = ordered(kept)
        found(rows)
        for depth in range(60):
            nested(depth, rows)
        copies(40)
    other.join()


main()
