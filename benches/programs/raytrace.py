"""Traces rays through a scene of spheres: small objects, attribute access and deep-ish calls."""

import math
import sys


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def scaled(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self):
        return self.scaled(1.0 / math.sqrt(self.dot(self)))


class Sphere:
    def __init__(self, center, radius, shade):
        self.center = center
        self.radius = radius
        self.shade = shade

    def hit(self, origin, direction):
        to_center = self.center - origin
        along = to_center.dot(direction)
        left = self.radius**2 - (to_center.dot(to_center) - along * along)
        if left < 0:
            return None
        distance = along - math.sqrt(left)
        return distance if distance > 1e-6 else None


class Scene:
    def __init__(self, spheres, light):
        self.spheres = spheres
        self.light = light

    def nearest(self, origin, direction):
        found = None
        for sphere in self.spheres:
            distance = sphere.hit(origin, direction)
            if distance is not None and (found is None or distance < found[0]):
                found = (distance, sphere)
        return found

    def trace(self, origin, direction, depth):
        found = self.nearest(origin, direction)
        if found is None:
            return 0.1 * (direction.y + 1)
        distance, sphere = found
        point = origin + direction.scaled(distance)
        normal = (point - sphere.center).unit()
        to_light = (self.light - point).unit()
        bright = 0.0
        if self.nearest(point, to_light) is None:
            bright = max(0.0, normal.dot(to_light)) * sphere.shade
        if depth:
            mirrored = direction - normal.scaled(2 * direction.dot(normal))
            bright += 0.4 * self.trace(point, mirrored, depth - 1)
        return bright


def main(size):
    spheres = [
        Sphere(Vector(math.cos(n) * 2, n * 0.4 - 2, 6 + math.sin(n) * 2), 0.6, 0.5 + n / 24)
        for n in range(11)
    ]
    scene = Scene(spheres, Vector(-5, 6, -2))
    total = 0.0
    origin = Vector(0, 0, 0)
    for row in range(size):
        for column in range(size):
            direction = Vector(column / size - 0.5, 0.5 - row / size, 1).unit()
            total += scene.trace(origin, direction, 3)
    return total


print(round(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200), 6))
