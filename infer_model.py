"""The release's inference: `python infer_model.py --help`. The code is `symtune.published.infer`."""

import sys

try:
    from symtune.published.infer import main
except ModuleNotFoundError as error:
    sys.exit(
        f"infer_model.py: {error.name} is not installed: pip install -r requirements.txt"
        + (", and a build of torch for this machine: pip install torch" if error.name == "torch" else "")
    )

if __name__ == "__main__":
    sys.exit(main())
