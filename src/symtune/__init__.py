"""symtune: make, mix, train on and measure symbolic tasks whose every answer is proven."""

__version__ = "0.1.0"
