"""Citations as text: authors and year from the bibliography."""

from __future__ import annotations

from pybtex.database import parse_file


class Citations:
    """The bibliography, as names and years.

    Parameters
    ----------
    path : Path
        A BibTeX file.
    """

    def __init__(self, path):
        self._entries = parse_file(str(path), bib_format="bibtex").entries

    def __contains__(self, key):
        return key in self._entries

    def names(self, key):
        """Return 'Efron', 'Golub and Van Loan' or 'Efron et al.'."""
        entry = self._entries[key]
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        last = [
            " ".join(person.prelast_names + person.last_names).replace("{", "").replace("}", "") for person in people
        ]
        if len(last) > 2:
            return f"{last[0]} et al."
        return " and ".join(last) or entry.fields.get("key", key)

    def year(self, key):
        return self._entries[key].fields["year"]
