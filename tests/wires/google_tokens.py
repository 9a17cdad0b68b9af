"""Google's token endpoint on loopback, and a service account that it knows."""

import atexit
import json
import tempfile
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

EMAIL: Final = "gateway@moongate-test.iam.gserviceaccount.com"
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
AUDIENCE: Final = "https://oauth2.googleapis.com/token"
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class ServiceAccount:
    """A key pair, made once a process."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def file(self, token_uri: str) -> str:
        """What a credentials file of Google's says."""
        private = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        info = {
            "type": "service_account",
            "project_id": "moongate-test",
            "private_key_id": "k1",
            "private_key": private.decode(),
            "client_email": EMAIL,
            "client_id": "1234567890",
            "token_uri": token_uri,
        }
        return json.dumps(info)

    def judge(self, body: bytes) -> None:
        """Raises where the body is no signed wish for a token of its own."""
        fields = parse_qs(body.decode("ascii"), strict_parsing=True)
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        claims = jwt.decode(fields["assertion"][0], certs=public, audience=AUDIENCE)  # type: ignore[no-untyped-call]
        if fields["grant_type"] != [GRANT] or (claims["iss"], claims["scope"]) != (EMAIL, SCOPE):
            raise ValueError(f"unexpected claims {claims}")


@cache
def service_account() -> ServiceAccount:
    """The one of this process."""
    return ServiceAccount()


class TokenEndpoint:
    """Issues a new token for each assertion that it believes."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = endpoint.answer(body)
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, body: bytes) -> bytes:
        """A token for an assertion. Raises where it is none of the service account's."""
        service_account().judge(body)
        self.issued.append(f"ya29.upstream-token-{len(self.issued)}")
        return json.dumps({"access_token": self.issued[-1], "expires_in": 3599, "token_type": "Bearer"}).encode()

    def close(self) -> None:
        """No more tokens."""
        self._server.shutdown()
        self._server.server_close()


@cache
def token_endpoint() -> TokenEndpoint:
    """The one of this process, which ends with it."""
    endpoint = TokenEndpoint()
    atexit.register(endpoint.close)
    return endpoint


@cache
def credentials_file() -> str:
    """The path of a credentials file whose tokens the endpoint issues."""
    folder = tempfile.TemporaryDirectory(prefix="moongate-google-")  # noqa: SIM115, RUF100 - it ends with the process
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "credentials.json"
    path.write_text(service_account().file(token_endpoint().url), "utf-8")
    return str(path)
