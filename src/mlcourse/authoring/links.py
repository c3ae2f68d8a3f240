"""Where the links of the built site and of its notebooks lead: inside it, exactly; on other hosts, as far as these tell."""

from __future__ import annotations

import http.client
import json
import posixpath
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urlsplit

from mlcourse.authoring.errors import SourceError

_CODE = re.compile(r"<!--.*?-->|<(script|style)\b([^>]*)>.*?</\1>", re.DOTALL)
_TAG = re.compile(r'<[a-zA-Z](?:[^>"]|"[^"]*")*>')
_LINK = re.compile(r'\s(?:href|src)="([^"]*)"')
_ANCHOR = re.compile(r'\s(?:id|name)="([^"]*)"')
_LINK_IN_MARKDOWN = re.compile(r"\]\(([^()\s]+)\)")
_CODE_IN_MARKDOWN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_NO_HOST = "there is no such host"
_GONE = (404, 410)
_HOSTS_AT_A_TIME = 8
_PAGES_SHOWN = 3


@dataclass(frozen=True)
class Fault:
    """A link that leads nowhere, on these pages; not `certain` if the other host may be at fault, or refuses programs."""

    pages: tuple[str, ...]
    link: str
    why: str
    certain: bool = True

    def __str__(self):
        more = f" and {len(self.pages) - _PAGES_SHOWN} more" if len(self.pages) > _PAGES_SHOWN else ""
        return f"{', '.join(self.pages[:_PAGES_SHOWN])}{more}: {self.link}: {self.why}"


# ---- the site


class Links:
    """The links of a built site.

    Parameters
    ----------
    course : Course
    site : Path
        The folder with its `index.html`.

    Raises
    ------
    SourceError
        If there is no site.
    """

    def __init__(self, course, site):
        self.course, self.site = course, Path(site)
        if not (self.site / "index.html").exists():
            raise SourceError(self.site, 1, "there is no built site here", "build it first: `make book`")
        files = sorted(path for end in ("html", "ipynb") for path in self.site.rglob(f"*.{end}"))
        pages = {path.relative_to(self.site).as_posix(): path for path in files}
        self._pages = {name: _read(path) for name, path in pages.items() if not name.startswith("_static/")}
        self._prefix = urlsplit(f"{course.site}/").path
        self._repository = re.compile(
            rf"(?:{re.escape(course.repository)}|{re.escape(course.colab_url('').split('/blob/')[0])})"
            rf"/(?:blob|edit|raw|tree)/{re.escape(course.branch)}/([^?#]+)"
        )

    def faults(self):
        """Check every link that needs no other host: within the site, and to files of the course's repository.

        Returns
        -------
        list of Fault
        """
        found = defaultdict(list)
        for name, (links, _) in self._pages.items():
            for link in links:
                if why := self._why_missing(name, link):
                    found[link, why].append(name)
        return [Fault(tuple(names), link, why) for (link, why), names in found.items()]

    def external(self):
        """Return the addresses on other hosts, each with the pages that name it.

        What is on the course's own repository but no file of it, such as the form for an issue, is left out: it asks for a login.

        Returns
        -------
        dict of str to list of str
        """
        found = defaultdict(list)
        for name, (links, _) in self._pages.items():
            for link in links:
                own = link.startswith(f"{self.course.repository}/") or self._repository.match(link)
                if _is_web(link) and not own and not link.startswith(f"{self.course.site}/"):
                    found[urldefrag(link).url].append(name)
        return dict(found)

    def __len__(self):
        return sum(len(links) for links, _ in self._pages.values())

    def _why_missing(self, name, link):
        if match := self._repository.match(link):
            file = unquote(match[1])
            return None if (self.course.root / file).exists() else f"the repository has no {file}"
        if link.startswith(f"{self.course.site}/"):
            link = self._prefix + link.removeprefix(f"{self.course.site}/")
        if urlsplit(link).scheme:
            return None
        address, anchor = urldefrag(link)
        path = unquote(urlsplit(address).path)
        if path.startswith("/") and not path.startswith(self._prefix):
            return f"it leaves the site, which is below {self._prefix}"
        folder = posixpath.dirname(name)
        inside = path.removeprefix(self._prefix) if path.startswith("/") else posixpath.join(folder, path)
        target = posixpath.normpath(inside) if path else name
        if (self.site / target).is_dir():
            target = posixpath.normpath(f"{target}/index.html")
        if target.startswith("../") or not (self.site / target).exists():
            return "there is no such page or file"
        if anchor and target.endswith(".html") and unquote(anchor) not in self._pages[target][1]:
            return "the page has no such place"
        return None


def _read(path):
    """Return the links of a page and the places in it that a link can name."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = ("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")
        return {link for cell in cells for link in _LINK_IN_MARKDOWN.findall(_CODE_IN_MARKDOWN.sub("", cell))}, set()
    tags = " ".join(_TAG.findall(_CODE.sub(r"<\1\2>", text)))
    return {unescape(link) for link in _LINK.findall(tags)}, {unescape(name) for name in _ANCHOR.findall(tags)}


def _is_web(link):
    return link.startswith(("http://", "https://"))


# ---- other hosts


def check_external(addresses, *, tries=3, timeout=20, pause=5):
    """Ask other hosts for their pages, several hosts at a time and each for one page at a time.

    Parameters
    ----------
    addresses : dict of str to list of str
        Each address with the pages that name it.
    tries : int
        How often a host is asked that does not answer, or answers that it cannot now.
    timeout, pause : float
        Seconds to wait for an answer, and before the next try.

    Returns
    -------
    list of Fault
        Certain where the page or the host does not exist. Hosts that refuse programs, are slow or out of order give uncertain ones.
    """
    hosts = defaultdict(list)
    for address in addresses:
        hosts[urlsplit(address).netloc].append(address)

    def ask(host):
        return [(address, _ask(address, tries, timeout, pause)) for address in hosts[host]]

    with ThreadPoolExecutor(_HOSTS_AT_A_TIME) as pool:
        answers = [answer for host in pool.map(ask, hosts) for answer in host]
    return [Fault(tuple(addresses[address]), address, *answer) for address, answer in answers if answer]


def _ask(address, tries, timeout, pause):
    """Return None if the address answers, or what is wrong and whether that is certain."""
    answer = None
    for number in range(tries):
        if number:
            time.sleep(pause * number)
        for method in ("HEAD", "GET"):  # many hosts answer only the second one right
            answer = _answer(address, method, timeout)
            if answer is None:
                return None
        if answer[1]:
            break
    return answer


def _answer(address, method, timeout):
    headers = {"User-Agent": "Mozilla/5.0 (compatible; mlcourse-links)", "Accept": "*/*"}
    ascii_only = quote(address, safe=":/?&=#%@!$'()*+,;~[]")
    try:
        with urllib.request.urlopen(
            urllib.request.Request(ascii_only, headers=headers, method=method), timeout=timeout
        ):
            return None
    except urllib.error.HTTPError as error:
        return f"the host answers {error.code} {error.reason}", error.code in _GONE
    except urllib.error.URLError as error:
        return _reason(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _reason(error)


def _reason(error):
    if isinstance(error, socket.gaierror):
        return _NO_HOST, error.errno == socket.EAI_NONAME
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}", True
    if isinstance(error, TimeoutError):
        return "the host does not answer in time", False
    return f"the host cannot be reached: {error}", False


# ---- both


def report(course, site, *, external=False):
    """Check the links of a built site and say what is wrong with them.

    Parameters
    ----------
    course : Course
    site : Path
    external : bool
        Also those to other hosts.

    Returns
    -------
    text : str
        One line for each fault: where the link stands, where it leads, what is wrong.
    broken : int
        How many links certainly lead nowhere.
    """
    links = Links(course, site)
    faults, asked = links.faults(), links.external() if external else {}
    answers = check_external(asked)
    if len(asked) > 1 and all(answer.why == _NO_HOST for answer in answers) and len(answers) == len(asked):
        answers = [Fault(("all pages",), "other hosts", "none of them is found: is this machine online?")]
    faults += answers
    broken = [fault for fault in faults if fault.certain]
    unclear = [fault for fault in faults if not fault.certain]
    lines = [f"broken: {fault}" for fault in broken] + [f"not sure: {fault}" for fault in unclear]
    lines.append(
        f"{len(links)} links in the site, {len(asked)} addresses on other hosts: {len(broken)} broken, {len(unclear)} not sure"
    )
    return "\n".join(lines), len(broken)
