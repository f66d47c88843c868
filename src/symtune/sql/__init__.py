"""SQL, in four packages: what a program means, the programs people write, drawing programs, and working them out.

    language/   tree                    what a program is
                records, functions      a record for each function, aggregate and window function, in one table
                type_rules              the type of an expression; which types can be combined
                bounds -> parse         SQL text, within bounds -> tree
                render                  tree -> SQL for one engine
                vectors, operations, windows, products, expressions, evaluator   tree over tables -> values, by the
                                        rules of docs/sql.md
                limits, measures        how much work a program may take; its operators, difficulty and chance
                engines -> proof, second_opinion   an answer on which SQLite, and DuckDB, agree
                idle                    which parts of a program can be dropped without changing the answer
    corpus/     text, delimited, forms, statements, corpora   SQL corpora -> statements
                dialects -> scopes, mending -> abstraction   a statement in any dialect -> a shape
                shapes, slots           a shape: SQL with typed slots for columns and values
                templates               shapes, merged and counted, in a file
    sampling/   views                   the part of the tables that a block shows
                material -> draws       the columns of a context; a chosen row, and conditions that it satisfies
                selections, computations, nestings -> programs   one function for each query type, and their shares
                instances               an SQL template filled from a table
                joins, growth           several tables; making a program harder
                balance, sampler        no shortcut beyond its bound; proven programs over one context
    solutions/  wordings                the wording of the steps of a worked solution, as data
                writer/                 a program and its tables -> steps
                verifier/               steps, whoever wrote them -> which of them hold; shares no code with the writer

Imports go one way, language <- corpus <- sampling <- solutions. Outside this package, only the task `sql_execution` and
the verb `sql-templates` deal with SQL, and they import from the module that has what they need.
"""
