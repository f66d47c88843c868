"""The SQL of symtune: what a program is, how it is read and written, what it answers, and how an answer is proven."""
