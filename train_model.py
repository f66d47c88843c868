"""The release's training command: `python train_model.py --help`. The code is `symtune.published.train`."""

import sys

try:
    from symtune.published.train import main
except ModuleNotFoundError as error:
    sys.exit(
        f"train_model.py: {error.name} is not installed: pip install -r requirements.txt"
        + (", and a build of torch for this machine: pip install torch" if error.name == "torch" else "")
    )

if __name__ == "__main__":
    sys.exit(main())
