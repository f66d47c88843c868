"""Worked solutions of programs: written by one package, and proven by another that shares no code with it.

    wordings        the wording of the lines, as data
    writer/         a program and its tables -> the steps, line by line, from what the evaluator computes
    verifier/       a program, its tables and steps, whoever wrote them -> which of them hold; executes independently

docs/solutions.md has the grammar.
"""
