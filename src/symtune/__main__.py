"""`python -m symtune`: the command line, where the script `symtune` is not on the PATH."""

from symtune.cli import main

if __name__ == "__main__":
    main()
