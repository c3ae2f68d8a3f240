"""Jupyter Book's own command, without a second that it would lose: `python -m mlcourse.authoring.jupyter_book build …`."""

from mlcourse.authoring import start_fast

if __name__ == "__main__":
    start_fast()
    from jupyter_book.cli.main import main

    main()
