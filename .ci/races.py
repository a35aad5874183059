#!/usr/bin/env python3
"""Runs a test binary under valgrind's drd and fails for a conflicting access that our own code makes.

    .ci/races.py BINARY [ARGUMENT...]

To valgrind an atomic load or store is an ordinary one, for on x86_64 it is an ordinary instruction, and it does not know
the locks and channels of Rust's standard library, which are made of such. So what it finds there is passed by, and so are
accesses by way of the atomic types: what is left are those of our code that go by no such type.
"""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

OURS = "/profcore/src"


def frames(error):
    """The stack of the access itself, innermost first: function, folder and file."""
    return [tuple(frame.findtext(name, "") for name in ("fn", "dir", "file")) for frame in error.find("stack")]


def is_ours(error):
    # The first frame that is not of the language: what an atomic's method or an inlined helper was called by.
    function, folder, file = frames(error)[0]
    return folder.endswith(OURS) or OURS + "/" in folder + "/" + file


def main():
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        tool = ["valgrind", "--tool=drd", "--check-stack-var=no", "--xml=yes", "--xml-file=" + report.name]
        status = subprocess.run(tool + sys.argv[1:]).returncode
        if status != 0:
            sys.exit("the tests end with %d under drd" % status)
        found = [error for error in xml.parse(report.name).iter("error") if error.findtext("kind") == "ConflictingAccess"]
    ours = [error for error in found if is_ours(error)]
    for error in ours:
        print(error.find("xwhat").findtext("text") if error.find("xwhat") is not None else error.findtext("what"))
        for function, folder, file in frames(error)[:8]:
            print("    %s (%s/%s)" % (function, folder, file))
    print("drd: %d accesses by way of atomic types or in the standard library, %d others" % (len(found) - len(ours), len(ours)))
    if ours or not found:
        sys.exit("races" if ours else "nothing was looked at")


if __name__ == "__main__":
    main()
