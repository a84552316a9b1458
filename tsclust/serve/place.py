"""Where the service listens, and what it says who it is with."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from tsclust.errors import SettingsError


@dataclass(frozen=True)
class Place:
    """Where the service listens: host, port; certificate and key for TLS, or None."""

    host: str = "127.0.0.1"
    port: int = 8765
    certificate: Path | None = None
    key: Path | None = None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.certificate else ''}://{host}:{self.port}"

    def check(self) -> None:
        """Raises SettingsError where certificate and key are none, or one of them is missing."""
        if self.certificate is None and self.key is None:
            return
        try:
            if self.certificate is None or self.key is None:
                raise ValueError("one of them is missing")
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self.certificate, self.key, _no_password
            )
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"--tls-cert {self.certificate}, --tls-key {self.key}: {error}",
                "Name a certificate and its key, in PEM",
            ) from None


def _no_password() -> str:
    """A process that nobody watches asks for none."""
    raise ValueError("the key has a password: expected one without")
