"""The fields of a trace's payloads, as FORMAT.md describes them: numbers, columns, tables, the begin of a block."""

from itertools import accumulate, zip_longest

U64 = 2**64 - 1
# The columns of the payloads that are tables. A column with the name of a dictionary holds ids of it.
TABLES = {
    "Strings": ["text"],
    "Binaries": ["Strings", "Strings"],
    "Functions": ["Strings", "Strings", "u32", "number", "Binaries"],
    "Functions 1": ["Strings", "Strings", "u32", "number"],
    "Frames": ["Functions", "u32", "number"],
    "Frames 1": ["Functions", "u32"],
    "Stacks": ["u32", "Frames"],
    "Threads": ["Processes", "u32", "time", "text"],
    "Footprints": ["number", "time", "delta", "delta"],
    "Counters": ["Processes", "time", "Strings", "number"],
    "Inheritances": ["Processes", "time", "number"],
    "ThreadEnds": ["Threads", "time", "number"],
    "ProcessEnds": ["Processes", "time", "pair", "number"],
    "Notes": ["text"],
    "Index": ["number", "number", "number", "delta", "number", "number", "number"],
    "Index 1": ["delta", "number", "number"],
}
# Most entries of the dictionaries.
LIMITS = {"Strings": 2**20, "Functions": 2**20, "Frames": 2**20, "Stacks": 2**21, "Processes": 2**17, "Threads": 2**17,
          "Binaries": 2**14}


class Damage(Exception):
    """A rule of FORMAT.md is broken."""


def require(holds, what):
    if not holds:
        raise Damage(what)


def varints(data):
    values, value, shift = [], 0, 0
    for byte in data:
        require(shift < 70, "a varint of more than 10 bytes")
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            require(value <= U64, "a varint of more than 64 bits")
            values.append(value)
            value = shift = 0
    require(shift == 0, "a varint without an end")
    return values


def signed(delta):
    return (delta >> 1) ^ -(delta & 1)


def running(deltas):
    return list(accumulate(deltas, lambda last, delta: (last + signed(delta)) & U64, initial=0))[1:]


def of_threads(rows, deltas, start=0, more=()):
    """Values that are told by the difference to the one before of the same thread of the block."""
    last, values = {}, []
    for row, delta, added in zip_longest(rows, deltas, more, fillvalue=0):
        last[row] = (last.get(row, start) + signed(delta) + added) & U64
        values.append(last[row])
    return values


class Payload:
    """The fields of a payload, one after another."""

    def __init__(self, data, trace, version):
        self.data, self.at, self.trace, self.version = data, 0, trace, version

    def take(self, length):
        self.at += length
        require(self.at <= len(self.data), "a field goes on beyond its payload")
        return self.data[self.at - length : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def text(self):
        data = self.take(self.number(8))
        require(len(data) <= 65535, "a text is too long")
        return data.decode("latin-1")

    def command(self):
        arguments = [self.text() for _ in range(self.number(8))]
        require(sum(len(argument) + 8 for argument in arguments) <= 2**18, "a command line is too long")
        return arguments

    def count(self, limit=65536):
        count = self.number(4)
        require(count <= limit, "too many entries")
        return count

    def column(self, kind, count=None):
        """A column of so many entries, or of as many as there are."""
        values = varints(self.take(self.number(8)))
        entries = len(values) // 2 if kind == "pair" else len(values)
        require(count in (None, entries), f"a column of {entries} entries where {count} should be")
        if kind == "text":
            data, ends = self.take(self.number(8)), list(accumulate(values))
            require(max(values, default=0) <= 65535 and sum(values) == len(data), "lengths of texts")
            return [data[end - length : end].decode("latin-1") for length, end in zip(values, ends)]
        if kind in LIMITS:
            return [self.trace.defined(kind, id) for id in values]
        if kind == "pair":
            return list(zip(values[::2], values[1::2]))
        if kind == "time":
            return [self.trace.ns(time) for time in running(values)]
        require(kind != "u32" or max(values, default=0) < 2**32, "a number of more than 32 bits")
        return running(values) if kind == "delta" else values

    def columns(self, kind, count, columns):
        return [self.column(kind, count) for _ in range(columns)]

    def table(self, name):
        count = self.count(2**32 if name == "Index 1" else 65536)
        return list(zip(*[self.column(kind, count) for kind in TABLES[name]]))

    def block(self, kinds):
        """What begins a block of events: time, threads, and of each event its place among the threads and its kind."""
        count, time = self.count(), self.number(8)
        threads, rows = self.column("Threads"), self.column("number", count)
        require(max(rows, default=0) // kinds < max(len(threads), 1), "a row of a thread that is not in the block")
        return time, threads, [row // kinds for row in rows], [row % kinds for row in rows]
