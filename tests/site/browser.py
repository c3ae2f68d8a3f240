"""Find Chromium and serve the built site at the address that it is made for."""

import functools
import http.server
import shutil
import threading
from contextlib import contextmanager

INSTALL = "apt-get install chromium (Debian, Ubuntu), brew install --cask chromium (macOS)"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]


def find_chromium():
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

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
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{prefix}/"
    finally:
        server.shutdown()
