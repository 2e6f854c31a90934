"""``python -m answerable`` is the command ``answerable``."""

import sys

from answerable.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
