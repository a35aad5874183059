# Prints, for each code object of the named modules, its first line, its line table in hexadecimal, and the
# line of each instruction as the interpreter itself tells it (0: none).
import dis, importlib.util, sys

def lines(code):
    if hasattr(code, "co_lines"):
        for start, end, line in code.co_lines():
            for offset in range(start, end, 2):
                yield offset, line or 0
    else:
        starts, line = dict(dis.findlinestarts(code)), code.co_firstlineno
        for offset in range(0, len(code.co_code), 2):
            line = starts.get(offset, line)
            yield offset, line

def tell(code):
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    told = ",".join("%d:%d" % pair for pair in lines(code))
    if told and table:
        print(code.co_firstlineno, table.hex(), told)
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            tell(constant)

for name in sys.argv[1:]:
    if name.endswith(".py"):
        with open(name) as file:
            tell(compile(file.read(), name, "exec"))
    else:
        spec = importlib.util.find_spec(name)
        tell(spec.loader.get_code(name))
