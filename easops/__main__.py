"""``python -m easops``."""

from easops.cli.app import main

if __name__ == "__main__":
    main()
