"""docutils renders a large document to HTML. Prints a digest of it."""

import hashlib

from docutils.core import publish_string

SECTION = """
Section {n}
===========

A paragraph with *emphasis*, **strong words**, ``literals``, a `link {n} <https://example.org/{n}>`_ and a
footnote [#f{n}]_. It goes on for a while, so that there is something to parse: {words}

.. [#f{n}] The footnote of section {n}.

* an item
* another, with a nested list

  1. first
  2. second

======  =======  ======
number  square   cube
======  =======  ======
{n:<6}  {sq:<7}  {cu:<6}
======  =======  ======

.. code-block:: python

   def f{n}(x):
       return x * {n}
"""


def document(sections):
    words = " ".join("word%d" % (n * 7 % 101) for n in range(80))
    parts = ["Title\n#####\n"]
    for n in range(sections):
        parts.append(SECTION.format(n=n, sq=n * n, cu=n**3 % 10**6, words=words))
    return "".join(parts)


html = publish_string(document(220), writer_name="html5", settings_overrides={"report_level": 5})
print(len(html) > 100_000, hashlib.sha256(html).hexdigest())
