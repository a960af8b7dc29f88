"""nginx: the reverse proxy with TLS that many homes have in front of Home Assistant."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, override

from .enclosure import INSIDE
from .server import CERTIFICATE, KEY, RunningServer


class Nginx(RunningServer):
    """nginx 1.22 with the service "https", which passes all on to a port of this machine."""

    name = "nginx"
    services: ClassVar[Sequence[str]] = ("https",)

    def __init__(
        self, folder: Path, pem: tuple[bytes, bytes], *, port: int, tells_client: bool = True
    ) -> None:
        """Prepare an nginx.

        port: where Home Assistant is. tells_client: whether it says who has asked
            (X-Forwarded-For).
        """
        super().__init__(folder, pem)
        self._port = port
        self._tells_client = tells_client

    @override
    def _configure(self) -> None:
        client = "X-Forwarded-For $proxy_add_x_forwarded_for" if self._tells_client else "X-None ''"
        places = "".join(
            f"  {name}_temp_path /tmp/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self._write(
            "nginx.conf",
            f"""\
daemon off;
user root root;
pid /tmp/nginx.pid;
error_log {INSIDE}/log/error.log;
events {{}}
http {{
  access_log {INSIDE}/log/access.log;
{places}  server {{
    listen 127.0.0.1:{self.ports["https"]} ssl;
    ssl_certificate {CERTIFICATE};
    ssl_certificate_key {KEY};
    location / {{
      proxy_pass http://127.0.0.1:{self._port};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header {client};
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
""",
        )

    @override
    def _command(self) -> tuple[str, ...]:
        return (
            "/usr/sbin/nginx",
            *("-e", f"{INSIDE}/log/error.log"),
            *("-c", f"{INSIDE}/etc/nginx.conf"),
        )
