"""Memory-heavy: builds, encodes, copies and drops large structures, with a working set of some 100 MB."""

import collections
import json
import sys


def record(number):
    return {
        "id": number,
        "name": "record %d" % number,
        "tags": ["tag%d" % (number % modulus) for modulus in (3, 7, 31, 211)],
        "scores": [number * 0.5 + n for n in range(12)],
        "nested": {"left": {"value": number}, "right": (number, str(number))},
    }


def main(rounds):
    recent = collections.deque(maxlen=3)
    digest = 0
    for turn in range(rounds):
        records = [record(turn * 20_000 + n) for n in range(20_000)]
        text = json.dumps(records)
        again = json.loads(text)
        blob = bytearray(text.encode())
        for _ in range(8):
            digest ^= len(bytes(blob)) + blob.count(b"tag1")
        by_tag = collections.defaultdict(list)
        for item in again:
            for tag in item["tags"]:
                by_tag[tag].append(item["id"])
        digest = digest * 31 + sum(len(ids) for ids in by_tag.values()) & 0xFFFFFFFF
        recent.append(again)
    return digest


print(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
