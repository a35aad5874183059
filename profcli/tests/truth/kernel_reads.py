"""Large reads of /dev/zero: the kernel's work."""

from selftimed import Phase, Watch, tell

zeros = open("/dev/zero", "rb", buffering=0)
readinto = zeros.readinto
block = bytearray(4 << 20)


def read(turns):
    while turns: readinto(block); turns -= 1  # READ


def plain(turns):
    x = 0
    for i in range(turns): x = (x * 5 ^ i) & 2047  # PLAIN


watch = Watch("kernel")
watch.alternate([Phase(read, 1.2, "kernel", "READ"), Phase(plain, 0.8, "python", "PLAIN")])
tell(watch.told())
