"""Imports the way a test runner does, again and again: files, unmarshalling, many small objects, regular expressions made."""

import importlib
import sys

MODULES = (
    "argparse asyncio ast concurrent.futures configparser csv dataclasses decimal difflib doctest email.mime.multipart "
    "fractions html.parser http.client http.server inspect json logging.config multiprocessing pdb pickle pydoc sqlite3 "
    "statistics tarfile tempfile tokenize typing unittest.mock urllib.request uuid xml.dom.minidom xmlrpc.client zipfile"
).split()
ROUNDS = 6


def main():
    kept = set(sys.modules)
    for _ in range(ROUNDS):
        for name in MODULES:
            importlib.import_module(name)
        found = len(sys.modules)
        for name in set(sys.modules) - kept:
            # Extension modules stay: some cannot be loaded twice.
            if getattr(sys.modules[name], "__file__", None) and sys.modules[name].__file__.endswith(".py"):
                del sys.modules[name]
    print(found > len(kept))


main()
