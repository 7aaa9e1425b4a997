"""`python -m tiktok_assets`: the command line."""

from tiktok_assets.cli import main

if __name__ == "__main__":
    main()
