"""Where a scheduler of Dask is, and how it may be talked to: it is sent code, so nobody else may send it any."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from tsclust.errors import SettingsError

EXPECTED = "expected dask://HOST:PORT or tls://HOST:PORT"


@dataclass(frozen=True)
class Place:
    """A scheduler that may be used: `scheduler` as the user writes it, and the files of TLS, "" for those not given."""

    scheduler: str
    tls_ca_file: str = ""
    tls_cert: str = ""
    tls_key: str = ""

    @property
    def address(self) -> str:
        """As Dask writes it: tcp://HOST:PORT or tls://HOST:PORT."""
        return f"{'tls' if self.is_encrypted else 'tcp'}://{urlsplit(self.scheduler).netloc}"

    @property
    def files(self) -> dict[str, str]:
        """Those of TLS that are given, by their names in the settings."""
        named = {"tls_ca_file": self.tls_ca_file, "tls_cert": self.tls_cert, "tls_key": self.tls_key}
        return {name: path for name, path in named.items() if path}

    @property
    def is_encrypted(self) -> bool:
        return self.scheduler.startswith("tls://") or bool(self.files)

    def check(self) -> None:
        """Raises SettingsError for what is no address, for a file that is not there, and for a scheduler that other
        machines reach without TLS."""
        parts = urlsplit(self.scheduler)
        if parts.scheme not in ("dask", "tls") or not parts.hostname or not _port(self.scheduler) or parts.path:
            raise SettingsError(f"--engine {self.scheduler}: {EXPECTED}", "For example --engine dask://127.0.0.1:8786")
        for name, path in self.files.items():
            if not Path(path).is_file():
                flag = "--" + name.replace("_", "-")
                raise SettingsError(f"{flag} {path}: no such file", "Name a file in PEM format")
        self.check_reach(self.address)

    def check_reach(self, address: str) -> None:
        """Raises SettingsError where what listens at `address` can be reached from other machines without TLS."""
        if not self.is_encrypted and not _is_loopback(urlsplit(address).hostname or ""):
            raise SettingsError(
                f"--engine {self.scheduler}: {address} can be reached from other machines, and whoever reaches it can"
                " run code there: expected TLS",
                "Start scheduler and workers with --tls-ca-file, --tls-cert and --tls-key, and give tsclust the same;"
                " on one machine: dask scheduler --host 127.0.0.1",
            )


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
