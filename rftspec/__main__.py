"""`python -m rftspec`: the same as the `rftspec` command."""

from rftspec.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
