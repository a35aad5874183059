#!/usr/bin/env python3
"""The public interface of a crate, one line for each item, out of rustdoc's JSON: api.py DOC.json

Only what a user can name: modules, types with their public fields, functions, constants, and the traits of this and
other crates that types have. Traits that every type of a kind has by itself are left out.
"""

import json
import sys


class Types:
    """Types, bounds and generics in words."""

    def type(self, t):
        if t is None:
            return "()"
        (kind, value), = t.items()
        return getattr(self, kind)(value)

    def primitive(self, name):
        return name

    def generic(self, name):
        return name

    def infer(self, _):
        return "_"

    def resolved_path(self, path):
        return self.path(path)

    def path(self, path):
        return path["path"].rsplit("::", 1)[-1] + self.arguments(path["args"])

    def arguments(self, args):
        if not args:
            return ""
        if "parenthesized" in args:
            inner = args["parenthesized"]
            out = f" -> {self.type(inner['output'])}" if inner["output"] else ""
            return f"({', '.join(map(self.type, inner['inputs']))}){out}"
        inner = args.get("angle_bracketed", {"args": [], "constraints": []})
        parts = [self.argument(a) for a in inner["args"]]
        for constraint in inner["constraints"]:
            (kind, value), = constraint["binding"].items()
            if kind == "equality":
                parts.append(f"{constraint['name']} = {self.argument(value)}")
            else:
                parts.append(f"{constraint['name']}: {self.bounds(value)}")
        return f"<{', '.join(parts)}>" if parts else ""

    def argument(self, a):
        (kind, value), = a.items()
        if kind == "lifetime":
            return value
        if kind in ("const", "constant"):
            return value["expr"]
        return self.type(value)

    def borrowed_ref(self, r):
        lifetime = f"{r['lifetime']} " if r["lifetime"] else ""
        return f"&{lifetime}{'mut ' if r['is_mutable'] else ''}{self.type(r['type'])}"

    def raw_pointer(self, r):
        return f"*{'mut' if r['is_mutable'] else 'const'} {self.type(r['type'])}"

    def slice(self, t):
        return f"[{self.type(t)}]"

    def array(self, t):
        return f"[{self.type(t['type'])}; {t['len']}]"

    def tuple(self, ts):
        return f"({', '.join(map(self.type, ts))})"

    def impl_trait(self, bounds):
        return f"impl {self.bounds(bounds)}"

    def dyn_trait(self, d):
        parts = [self.path(t["trait"]) for t in d["traits"]]
        return "dyn " + " + ".join(parts + ([d["lifetime"]] if d["lifetime"] else []))

    def qualified_path(self, q):
        trait = f" as {self.path(q['trait'])}" if q["trait"] else ""
        return f"<{self.type(q['self_type'])}{trait}>::{q['name']}"

    def function_pointer(self, f):
        return "fn" + self.signature(f["sig"])

    def signature(self, sig):
        inputs = ", ".join(f"{name}: {self.type(t)}" for name, t in sig["inputs"])
        output = f" -> {self.type(sig['output'])}" if sig["output"] else ""
        return f"({inputs}){output}"

    def bounds(self, bounds):
        return " + ".join(self.bound(b) for b in bounds)

    def bound(self, b):
        (kind, value), = b.items()
        if kind == "trait_bound":
            return ("?" if value["modifier"] == "maybe" else "") + self.path(value["trait"])
        if kind == "use":
            return f"use<{', '.join(n if isinstance(n, str) else next(iter(n.values())) for n in value)}>"
        return value

    def generics(self, generics):
        """Parameters in angle brackets, and the where clause."""
        params = []
        for p in generics["params"]:
            (kind, value), = p["kind"].items()
            if kind == "type" and value["is_synthetic"]:
                continue
            bounds = value.get("bounds") if kind == "type" else None
            const = "const " if kind == "const" else ""
            params.append(const + p["name"] + (f": {self.bounds(bounds)}" if bounds else ""))
        where = []
        for predicate in generics["where_predicates"]:
            (kind, value), = predicate.items()
            if kind == "bound_predicate":
                where.append(f"{self.type(value['type'])}: {self.bounds(value['bounds'])}")
            elif kind == "lifetime_predicate":
                where.append(f"{value['lifetime']}: {' + '.join(value['outlives'])}")
        return (f"<{', '.join(params)}>" if params else "",
                f" where {', '.join(where)}" if where else "")


class Listing(Types):
    """The lines of a crate."""

    def __init__(self, doc):
        self.index = doc["index"]
        self.lines = set()
        root = self.index[str(doc["root"])]
        self.item(root, [])

    def item(self, item, path, name=None):
        (kind, inner), = item["inner"].items()
        name = name or item["name"]
        if kind == "use":
            target = self.index.get(str(inner["id"]))
            if inner["is_glob"] or not target:
                self.lines.add(f"{'::'.join(path)}: pub use {inner['source']}")
            else:
                self.item(target, path, inner["name"])
            return
        write = getattr(self, "item_" + kind, None)
        if write is None:
            self.lines.add(f"{'::'.join(path + [name])}: {kind}")
        else:
            write(item, inner, path + [name])

    def add(self, path, text, item):
        marks = "".join(f"#[{a}] " for a in item["attrs"] if isinstance(a, str) and "non_exhaustive" in a)
        self.lines.add(f"{'::'.join(path)}: {marks}{text}")

    def item_module(self, item, inner, path):
        self.add(path, "mod", item)
        for id in inner["items"]:
            self.item(self.index[str(id)], path)

    def item_function(self, item, inner, path):
        params, where = self.generics(inner["generics"])
        header = inner["header"]
        words = [word for word in ("const", "async", "unsafe") if header[f"is_{word}"]]
        self.add(path, " ".join(words + ["fn"]) + params + self.signature(inner["sig"]) + where, item)

    def item_constant(self, item, inner, path):
        self.add(path, f"const {self.type(inner['type'])} = {inner['const']['value'] or inner['const']['expr']}", item)

    def item_static(self, item, inner, path):
        self.add(path, f"static {self.type(inner['type'])}", item)

    def item_type_alias(self, item, inner, path):
        params, where = self.generics(inner["generics"])
        self.add(path, f"type{params} = {self.type(inner['type'])}{where}", item)

    def item_struct(self, item, inner, path):
        params, where = self.generics(inner["generics"])
        self.add(path, f"struct{params}{where}", item)
        self.fields(inner["kind"], path)
        self.impls(inner["impls"], path)

    def item_enum(self, item, inner, path):
        params, where = self.generics(inner["generics"])
        self.add(path, f"enum{params}{where}", item)
        for id in inner["variants"]:
            variant = self.index[str(id)]
            own = path + [variant["name"]]
            value = variant["inner"]["variant"]
            number = f" = {value['discriminant']['value']}" if value["discriminant"] else ""
            self.add(own, "variant" + number, variant)
            self.fields(value["kind"], own)
        self.impls(inner["impls"], path)

    def item_trait(self, item, inner, path):
        params, where = self.generics(inner["generics"])
        bounds = f": {self.bounds(inner['bounds'])}" if inner["bounds"] else ""
        self.add(path, f"trait{params}{bounds}{where}", item)
        for id in inner["items"]:
            self.item(self.index[str(id)], path)

    def fields(self, kind, path):
        if isinstance(kind, str):
            return
        (_, value), = kind.items()
        for id in value["fields"] if isinstance(value, dict) else value:
            field = self.index.get(str(id)) if id is not None else None
            if field and field["visibility"] in ("public", "default"):
                self.add(path + [field["name"]], f"field {self.type(field['inner']['struct_field'])}", field)

    def impls(self, ids, path):
        for id in ids:
            item = self.index.get(str(id))
            inner = item["inner"]["impl"] if item else None
            if inner is None or inner["is_synthetic"] or inner["blanket_impl"]:
                continue
            trait = inner["trait"]
            if trait is None:
                for member in inner["items"]:
                    member = self.index[str(member)]
                    if member["visibility"] == "public":
                        self.item(member, path)
            elif trait["path"].rsplit("::", 1)[-1] != "StructuralPartialEq":
                params, where = self.generics(inner["generics"])
                self.add(path, f"impl{params} {self.path(trait)}{where}", item)

    def item_assoc_const(self, item, inner, path):
        self.add(path, f"const {self.type(inner['type'])}", item)

    def item_assoc_type(self, item, inner, path):
        self.add(path, "type", item)


with open(sys.argv[1], encoding="utf-8") as file:
    print("\n".join(sorted(Listing(json.load(file)).lines)))
