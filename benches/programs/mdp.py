"""Solves a game of dice by value iteration: dicts, tuples and floats, much small allocation."""

import sys

GOAL = 100
LIMIT = 10


def moves(state):
    """What can follow from a state, as (name, ((probability, state), ...)) pairs."""
    mine, theirs, pot = state
    held = (theirs, min(mine + pot, GOAL), 0)
    rolled = [(1 / 6, (theirs, mine, 0))]
    for face in range(2, 7):
        rolled.append((1 / 6, (mine, theirs, min(pot + face, LIMIT * 2))))
    return (("hold", ((1.0, held),)), ("roll", tuple(rolled)))


def value(state, values):
    mine, theirs, pot = state
    if theirs >= GOAL:
        return 0.0
    if mine + pot >= GOAL:
        return 1.0
    best = 0.0
    for _, outcomes in moves(state):
        won = 0.0
        for probability, after in outcomes:
            known = values.get(after, 0.5)
            won += probability * (known if after[:2] == (mine, theirs) else 1.0 - known)
        if won > best:
            best = won
    return best


def solve(rounds):
    states = [
        (mine, theirs, pot)
        for mine in range(60, GOAL)
        for theirs in range(60, GOAL)
        for pot in range(0, LIMIT * 2 + 1, 2)
    ]
    values = {state: 0.5 for state in states}
    for _ in range(rounds):
        values = {state: value(state, values) for state in states}
    return sum(values.values())


print(round(solve(int(sys.argv[1]) if len(sys.argv) > 1 else 24), 6))
