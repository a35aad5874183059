"""Fifty bytes objects of 5 MB, copied on one line."""

import json


def snapshot(source):
    return bytes(source)  # COPY


source = bytearray(5_000_000)
for _ in range(50):
    snapshot(source)
print(json.dumps({"COPY": 250_000_000}))
