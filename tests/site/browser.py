"""Find Chromium and serve the built site at the address that it is made for, as the hosts of static sites do."""

import functools
import gzip
import http.server
import mimetypes
import shutil
import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

INSTALL = "apt-get install chromium (Debian, Ubuntu), brew install --cask chromium (macOS)"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
_TEXT = ("text/", "application/javascript", "application/json", "image/svg+xml", "application/xml")


def find_chromium():
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


needs_chromium = pytest.mark.skipif(find_chromium() is None, reason=f"there is no Chromium; install it: {INSTALL}")


def pages_of(site):
    """All pages but those that only lead to another: the first, and old addresses."""
    pages = (path for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts)
    own = (page for page in pages if 'http-equiv="refresh"' not in page.read_text(encoding="utf-8"))
    return sorted(page.relative_to(site).as_posix() for page in own)


@cache
def _zipped(path, changed):
    return gzip.compress(Path(path).read_bytes(), 6)


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        kind = mimetypes.guess_type(path.name)[0] or ""
        if not path.is_file() or not kind.startswith(_TEXT):
            return super().do_GET()
        body = _zipped(str(path), path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code, message=None, explain=None):
        """Answer what is missing with the site's own page, as the hosts of static sites do."""
        page = self.server.site / "404.html"
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve(site, folder, prefix):
    """Serve `site` below `/prefix/`; yield the address of its root."""
    (folder / prefix).symlink_to(site, target_is_directory=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
    server.site = site
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{prefix}/"
    finally:
        server.shutdown()
