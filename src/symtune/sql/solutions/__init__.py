"""Worked solutions of programs: written by one room, proven by another that shares no code with it.

    wordings        how lines are put: data
    writer/         a program and its tables -> the steps, line by line, from what the evaluator computes
    verifier/       a program, its tables and anybody's steps -> which of them hold, from an execution of its own

docs/solutions.md has the grammar.
"""
