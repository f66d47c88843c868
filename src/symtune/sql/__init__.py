"""SQL, in four rooms: what a program means, what programs people write, how programs are drawn, and worked out.

    language/   tree                    what a program is
                records, functions      a record for each function, aggregate and window function, in one table
                type_rules              of which type an expression is; which types may stand beside one another
                bounds -> parse         SQL text, bounded, -> tree
                render                  tree -> the text of an engine
                vectors, operations, windows, products, expressions, evaluator   tree over tables -> values, by the
                                        rules of docs/sql.md
                limits, measures        what a program may cost; its operators, difficulty and chance
                engines -> proof, second_opinion   an answer that SQLite, and DuckDB, agree on
    corpus/     text, delimited, forms, statements, corpora   SQL corpora -> statements
                dialects -> scopes, mending -> abstraction   a statement in any dialect -> a shape
                shapes, slots           a shape: SQL with slots for columns and values, each of a type
                templates               shapes, merged and counted, in a file
    sampling/   views                   what a block shows of tables
                draws                   the material of a table, and conditions that a row of it satisfies
                selections, computations, nestings -> programs   one function for each query type, and their shares
                instances               an SQL template over a table
                joins, growth           several tables; a program made harder
                balance, sampler        no shortcut beyond its bound; proven programs over one context
    solutions/  wordings                how the steps of a worked solution are put: data
                writer/                 a program and its tables -> steps
                verifier/               anybody's steps -> which of them hold; shares no code with the writer

Imports go one way, language <- corpus <- sampling <- solutions. Outside this package only the task `sql_execution` and
the verb `sql-templates` know that there is SQL, and they import from the module that has what they need.
"""
