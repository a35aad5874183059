"""A second reader of the trace format, written from FORMAT.md alone, not from the Rust sources.

It reads sound traces and cut ones, from the front; where another one breaks a rule it stops and tells the offset. Ids
stay numbers, times are nanoseconds, a byte of a text is a character.
"""

import struct
import zlib

from trace_fields import LIMITS, TABLES, U64, Damage, Payload, of_threads, require, signed

try:
    from compression import zstd  # Python 3.14
except ImportError:
    try:
        import zstandard as zstd
    except ImportError:
        zstd = None

NAMES = "About Strings Functions Frames Stacks Processes Threads Samples Memory Copies Footprints Counters ThreadEnds"
TYPES = dict(enumerate(f"{NAMES} ProcessEnds Notes End Index Inheritances Binaries".split(), 1))
# The entries of the dictionaries that stand in no file; a function's are its name, file, line, language and binary.
PREDEFINED = {
    "Strings": [("",), ("[lost]",)],
    "Binaries": [(0, 0)],
    "Functions": [(1, 0, 0, 2, 0)],
    "Frames": [(0, 0, 0)],
}
# What the fields that version 2 has more are in version 1.
MORE = {"Functions": (0,), "Frames": (0,)}
EVENTS, FIGURES, INDEX = ("Samples", "Memory", "Copies"), ("Footprints", "Counters"), 17
NO_PARENT = (None, 0, 0)


def unpack(stored, raw):
    """At most one byte more than a chunk promises, so that a small file cannot fill the memory."""
    decompressor = zstd.ZstdDecompressor()
    try:
        if hasattr(decompressor, "stream_reader"):
            data = decompressor.stream_reader(stored).read(raw + 1)
        else:
            data = decompressor.decompress(stored, raw + 1)
    except zstd.ZstdError as error:
        raise Damage(f"zstd: {error}") from None
    require(len(data) == raw, "another length than the chunk's header says")
    return data


def extent(name, rows):
    """What an index tells of a chunk: number of entries, lowest and highest time, lowest and highest thread."""
    times = [row[0] for row in rows] if name in EVENTS else [row[1] for row in rows] if name in FIGURES else []
    threads = [row[1] for row in rows] if name in EVENTS else []
    low_and_high = [edge(values, default=0) for values in (times, threads) for edge in (min, max)]
    return len(rows), *low_and_high


def name_price(name, row):
    """What the names of a process or a thread count for the limit of all names."""
    known = [row[3]] if name == "Threads" else [row[4]]
    return sum(len(text) + 32 for text in [*filter(None, known), *(row[5] if name == "Processes" else [])])


class Trace:
    """A trace; `records` yields the name of each chunk that is known and its entries."""

    def __init__(self, data):
        self.data, self.tables = data, {name: list(PREDEFINED.get(name, [])) for name in LIMITS}
        self.chunks, self.unknown, self.unsupported = [], 0, 0
        self.string_bytes, self.name_bytes = 6, 0
        self.ended, self.complete, self.cut = False, False, None

    def records(self):
        at = self.file_header()
        while at < len(self.data):
            try:
                at, found = self.chunk_or_end(at)
            except Damage as damage:
                raise Damage(f"{damage}, at offset {at}") from None
            if found:
                yield found

    def file_header(self):
        require(self.data[:8] == b"PROFTRC\x01" and len(self.data) >= 88, "not a trace")
        major, minor, length, features = struct.unpack_from("<HHII", self.data, 8)
        require(major == 1, f"a trace of version {major}.{minor}, of which this reader knows nothing")
        require(88 <= length <= min(4096, len(self.data)) and length % 8 == 0, "length of the file header")
        checksum = int.from_bytes(self.data[length - 4 : length], "little")
        require(zlib.crc32(self.data[: length - 4]) == checksum, "checksum of the file header")
        require(features == 0, f"the trace needs features {features:#x}, which this reader does not know")
        fields = ("unix_ns", "monotonic_ns", "cpu_interval_ns", "memory_interval", "copy_interval", "unit")
        self.header = dict(zip(fields, struct.unpack_from("<5QI", self.data, 40)), trace_id=self.data[24:40].hex())
        self.version, self.unit = f"{major}.{minor}", self.header["unit"]
        require(self.unit > 0, "a time unit of 0")
        return length

    def chunk_or_end(self, at):
        """What stands at an offset, if it is known, and where the next chunk is."""
        header = self.data[at : at + 32]
        if len(header) < 32:
            return self.cut_at(at)
        require(zlib.crc32(header[:28]) == int.from_bytes(header[28:], "little"), "neither a chunk nor the end")
        if header[:8] == b"PROFEND\x01":
            return self.end_record(at, *struct.unpack_from("<QQI", header, 8))
        magic, code, version, flags, sequence, stored, raw, checksum = struct.unpack("<4sHBBQIII4x", header)
        require(magic == b"PCHK", "neither a chunk nor the end")
        compression = flags & 3
        require(raw <= 2**22 and stored <= raw and raw // 1000 <= stored, "lengths of a chunk")
        require(compression or stored == raw, "two lengths of a chunk that is not compressed")
        require(sequence == len(self.chunks), f"chunk {sequence} in the place of chunk {len(self.chunks)}")
        end = at + 32 + stored
        after = end + -end % 8
        if end > len(self.data):
            return self.cut_at(at)
        data = self.data[at + 32 : end]
        require(zlib.crc32(data) == checksum, "checksum of a payload")
        require(not any(self.data[end:after]), "padding that is not zero")
        name = TYPES.get(code) if self.is_known(code, version, flags & 4) else None
        rows = self.payload(name, version, data, raw, compression)
        self.chunks.append((at // 8, code, None if rows is None else extent(name, rows)))
        return after, None if rows is None else (name, rows)

    def is_known(self, code, version, append_only):
        newest = 2 if TYPES.get(code) in ("Functions", "Frames", "Copies", "Index") else 1
        return 1 <= version <= newest or version > newest and append_only

    def payload(self, name, version, data, raw, compression):
        if name is None:
            self.unknown += 1
            return None
        if compression > (zstd is not None):
            self.unsupported += 1
            return None
        payload = Payload(unpack(data, raw) if compression else data, self, version)
        if name == "Index":
            return self.index_1(payload) if version == 1 else self.index(payload)
        first = payload.number(4) if name in LIMITS else 0
        if version == 1 and name in MORE:
            rows = [row + MORE[name] for row in payload.table(f"{name} 1")]
        else:
            rows = payload.table(name) if name in TABLES else getattr(self, name.lower())(payload)
        if name in LIMITS:
            self.define(name, first, rows)
        return rows

    def cut_at(self, at):
        self.cut = at
        return len(self.data), None

    def end_record(self, at, index, chunks, zero):
        require(at + 32 == len(self.data) and zero == 0, "the end record is not the end")
        require(chunks == len(self.chunks), f"{len(self.chunks)} chunks, of which the end record says {chunks}")
        places = {8 * place: TYPES.get(code) for place, code, _ in self.chunks}
        require(index == 0 or places.get(index) == "Index", "offset of the index")
        self.complete = True
        return len(self.data), None

    def index_1(self, payload):
        rows = payload.table("Index 1")
        self.check_index(rows, [(place, code, extent and extent[:1]) for place, code, extent in self.chunks])
        return rows

    def index(self, payload):
        """Names the chunks since the index before, and that one."""
        before = max((number for number, (_, code, _) in enumerate(self.chunks) if code == INDEX), default=-1)
        place = self.chunks[before][0] if before >= 0 else 0
        require(payload.number(8) == 8 * place, "the index before is somewhere else")
        rows, at = [], 0
        for back, code, entries, time, span, thread, spread in payload.table("Index"):
            at += back
            rows.append((at, code, entries, self.ns(time), self.ns(time + span), thread, thread + spread))
        self.check_index(rows, self.chunks[before + 1 :])
        return rows

    def check_index(self, rows, chunks):
        require(len(rows) == len(chunks), "the index names another number of chunks")
        for row, (place, code, extent) in zip(rows, chunks):
            right = (place, code) if extent is None else (place, code, *extent)
            require(row[: len(right)] == right, f"the index says {row} of {right}")

    def defined(self, name, id):
        # A chunk that was passed over may have held the definition.
        require(id < len(self.tables[name]) or self.unknown or self.unsupported, f"{id} is not defined in {name}")
        return id

    def define(self, name, first, rows):
        table, passed_over = self.tables[name], self.unknown or self.unsupported
        require(first == len(table) or first > len(table) and passed_over, f"ids of {name} out of order")
        require(first + len(rows) <= LIMITS[name], f"too many {name}")
        if name == "Strings":
            self.string_bytes += sum(len(row[0]) for row in rows)
            require(self.string_bytes <= 2**26, "the strings are too long, all together")
        if name == "Binaries":
            ids = [self.tables["Strings"][row[1]] for row in rows if row[1] < len(self.tables["Strings"])]
            require(all(id is None or len(id[0]) <= 64 for id in ids), "a build id that is too long")
        if name in ("Processes", "Threads"):
            self.name_bytes += sum(name_price(name, row) for row in rows)
            require(self.name_bytes <= 2**25, "the names are too long, all together")
        table.extend([None] * (first - len(table)))
        for id, row in enumerate(rows, first):
            if name == "Processes":
                require(row[0] == 0 or self.defined(name, row[0] - 1) < id, "a process whose parent is not defined")
            table.append(self.stack_node(id, *row) if name == "Stacks" else row)

    def stack_node(self, id, difference, frame):
        """Parent, frame and depth."""
        require(difference <= id, "a stack whose parent is not defined")
        parent = id - difference if difference else None
        depth = 1 if parent is None else 1 + (self.tables["Stacks"][parent] or NO_PARENT)[2]
        require(depth <= 4096, "a stack that is too deep")
        return parent, frame, depth

    def about(self, payload):
        return [(payload.text(), payload.command())]

    def end(self, payload):
        require(not self.ended, "a second End chunk")
        self.ended = True
        return [(self.ns(payload.number(8)),)]

    def processes(self, payload):
        rows = []
        for _ in range(payload.number(8)):
            parent, pid, time, profiled = (payload.number(size) for size in (8, 4, 8, 1))
            rows.append((parent, pid, self.ns(time), profiled, payload.text(), payload.command()))
        return rows

    def ns(self, units):
        return min(units * self.unit, U64)

    def stacks_of(self, rows, deltas):
        return [self.defined("Stacks", stack - 1) if stack else None for stack in of_threads(rows, deltas)]

    def samples(self, payload):
        """Time, thread, stack, weight in nanoseconds, class."""
        start, threads, rows, classes = payload.block(8)
        stacks, weights, times = payload.columns("number", len(rows), 3)
        require(max(classes, default=0) < 6, "a class that does not exist")
        stacks, weights = self.stacks_of(rows, stacks), of_threads(rows, weights)
        times = map(self.ns, of_threads(rows, times, start, weights))
        return list(zip(times, (threads[row] for row in rows), stacks, map(self.ns, weights), classes))

    def memory(self, payload):
        """Time, thread, kind, block, and of an allocation its stack, bytes and weight, of a resize the bytes."""
        start, threads, rows, kinds = payload.block(8)
        require(max(kinds, default=0) < 4, "a kind of event that does not exist")
        allocations = [row for row, kind in zip(rows, kinds) if kind < 2]
        times = of_threads(rows, payload.column("number", len(rows)), start)
        stacks = iter(self.stacks_of(allocations, payload.column("number", len(allocations))))
        sizes = iter(payload.column("number", len(allocations) + 2 * kinds.count(3)))
        weights = iter(payload.column("delta", len(allocations)))
        events, last = [], 0
        for time, row, kind, delta in zip(times, rows, kinds, payload.column("number", len(rows))):
            block, more = (last + signed(delta)) & U64, ()
            if kind < 2:
                last, more = block or last, (next(stacks), next(sizes), next(weights))
            elif kind == 3:
                more = (next(sizes), next(sizes))
            events.append((self.ns(time), threads[row], kind, block, *more))
        return events

    def copies(self, payload):
        """Time, thread, stack, bytes, weight, name of the module that copied."""
        start, threads, rows, _ = payload.block(1)
        times, stacks, sizes = payload.columns("number", len(rows), 3)
        times = map(self.ns, of_threads(rows, times, start))
        stacks, weights = self.stacks_of(rows, stacks), payload.column("delta", len(rows))
        copiers = payload.column("delta", len(rows)) if payload.version > 1 else [0] * len(rows)
        copiers = [self.defined("Strings", copier) for copier in copiers]
        return list(zip(times, (threads[row] for row in rows), stacks, sizes, weights, copiers))
