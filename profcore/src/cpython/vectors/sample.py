"""Source of the committed vectors: what moves line numbers about."""
import contextlib


def loop(n):
    total = 0
    for i in range(n):
        if i % 3:
            total += i
    return total


def backwards(a, b):
    return max(
        a,
        b
    ) + min(b,

            a)


def handled(path):
    try:
        with open(path) as file, contextlib.suppress(ValueError):
            return [
                int(line)
                for line in file
                if line
            ]
    except OSError as error:
        if error.errno:
            raise
    finally:
        print(
            path)


async def waits(items):
    async for item in items:
        while item:
            item -= 1
            if item == 7:
                continue
        yield item










































































































































def far(x):
    """Far down, so that deltas do not fit into one byte."""
    def inner(
        y=1):
        return x + y
    return inner


@staticmethod
@contextlib.contextmanager
def decorated():
    yield lambda x: (
        x
    )
