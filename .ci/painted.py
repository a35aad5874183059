#!/usr/bin/env python3
"""Asserts that a picture of a flame graph has its boxes: painted.py SVG PNG

The picture is a browser's, at its own size. Every box that is wide enough has its color there, and there are several
colors: what is blank, cut off or covered is found.
"""
import colorsys
import re
import struct
import sys
import zlib


def pixels(data):
    """Rows of a PNG of 8 bits, each of (red, green, blue)."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), "no PNG"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, interlaced) == (8, 0) and color in (2, 6), (depth, color, interlaced)
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    size = 3 if color == 2 else 4
    raw, before, rows = zlib.decompress(packed), bytearray(width * size), []
    for y in range(height):
        start = y * (width * size + 1)
        method, line = raw[start], bytearray(raw[start + 1:start + 1 + width * size])
        for x in range(len(line) if method else 0):
            left = line[x - size] if x >= size else 0
            up, corner = before[x], before[x - size] if x >= size else 0
            if method == 4:
                guess = left + up - corner
                add = min((left, up, corner), key=lambda other: abs(guess - other))
            else:
                add = (0, left, up, (left + up) // 2)[method]
            line[x] = (line[x] + add) & 255
        before = line
        rows.append([tuple(line[x:x + 3]) for x in range(0, len(line), size)])
    return rows


def main(svg, png):
    picture = open(svg, encoding="utf-8").read()
    rows = pixels(open(png, "rb").read())
    box = re.compile(
        r'<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="(\d+)" rx="1" fill="hsl\((\d+),(\d+)%,(\d+)%\)"'
    )
    seen = set()
    for x, y, width, height, hue, strength, light in (map(float, found) for found in box.findall(picture)):
        if width < 12 or y + height > len(rows):
            continue
        wanted = colorsys.hls_to_rgb(hue / 360, light / 100, strength / 100)
        # Above the name, whose letters may be wider than the picture reckons with.
        found = rows[int(y) + 1][int(x + width) - 3]
        assert all(abs(255 * a - b) <= 3 for a, b in zip(wanted, found)), (x, y, wanted, found)
        seen.add(found)
    assert len(seen) >= 3, f"only {len(seen)} colors"
    print(len(seen), "colors")


main(*sys.argv[1:])
