"""TLS with the system's authorities, by the command itself: its libraries are others than those of the unit tests."""
import datetime
import http.server
import os
import re
import ssl
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from outcomes import WINDOW, one_error_line
from repository import BINARY
from stores import RedisServer, free_port


def certify(folder, name, issuer=None):
    """A key and a certificate, self-signed as an authority or for localhost by `issuer`; their paths and objects."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
               .issuer_name(issuer[0].subject if issuer else subject).serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=2))
               .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True))
    if issuer:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / f"{name}.key").chmod(0o600)
    return certificate, key


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    certify(folder, "localhost", certify(folder, "authority"))
    certify(folder, "stranger")
    return folder


@pytest.fixture(scope="module")
def tls_redis(certificates, tmp_path_factory):
    port = free_port()
    server = RedisServer(tmp_path_factory.mktemp("tls"), "--tls-port", str(port), "--tls-cert-file", f"{certificates}/localhost.pem",
                         "--tls-key-file", f"{certificates}/localhost.key", "--tls-ca-cert-file", f"{certificates}/authority.pem",
                         "--tls-auth-clients", "no")
    server.tls_port = port
    yield server
    server.stop()


def on_tls(make_repository, server, certificates, authority):
    repository = make_repository(store="redis", server=server)
    path = repository.path / "feature_store.yaml"
    path.write_text(re.sub(r"connection_string: .*", f'connection_string: "localhost:{server.tls_port},ssl=true"', path.read_text()))
    repository.environment["SSL_CERT_FILE"] = f"{certificates}/{authority}.pem"
    return repository


def test_redis_with_the_systems_authorities(make_repository, tls_redis, certificates):
    repository = on_tls(make_repository, tls_redis, certificates, "authority")
    for command in (["check"], ["materialize", *WINDOW], ["verify"]):
        outcome = repository.banquet(*command)
        assert outcome.exit_code == 0, outcome


def test_a_redis_that_the_system_does_not_trust_is_refused(make_repository, tls_redis, certificates):
    repository = on_tls(make_repository, tls_redis, certificates, "stranger")
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 2, outcome
    one_error_line(outcome, "certificate is refused")
    del repository.environment["SSL_CERT_FILE"]  # The machine's own authorities.
    outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
    assert outcome.exit_code == 2, outcome
    one_error_line(outcome, "certificate is refused")


class Refusing(http.server.BaseHTTPRequestHandler):
    """DynamoDB as one who may nothing sees it."""

    def do_POST(self):
        body = b'{"__type":"x#AccessDeniedException","message":"reached by TLS"}'
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_https_with_the_systems_authorities(make_repository, certificates):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{certificates}/localhost.pem", f"{certificates}/localhost.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    repository = make_repository(store="dynamodb")
    path = repository.path / "feature_store.yaml"
    path.write_text(re.sub(r"endpoint_url: .*", f"endpoint_url: https://localhost:{server.server_port}", path.read_text()))
    try:
        for authority, words in (("authority", "reached by TLS"), ("stranger", "certificate")):
            repository.environment["SSL_CERT_FILE"] = f"{certificates}/{authority}.pem"
            outcome = repository.banquet("materialize", *WINDOW, "-v", "inc_plain")
            assert words in outcome.stderr, outcome
    finally:
        server.shutdown()
        server.server_close()


# The wheel's libparquet exports an OpenSSL of its own (decision 0012).
def test_openssl_is_the_systems_for_every_library(repository):
    environment = {**os.environ, "LD_DEBUG": "bindings", "LD_BIND_NOW": "1"}
    told = subprocess.run([BINARY, "--version"], env=environment, capture_output=True, text=True, timeout=60).stderr
    bindings = re.findall(r"binding file (\S+) \[0\] to (\S+) \[0\]: normal symbol `(\w+)'", told)
    # What libparquet alone has, newer names than the system's, it may call in itself.
    to_crypto = {to.rsplit("/", 1)[1] for file, to, symbol in bindings
                 if "libparquet" not in file and re.match(r"(SSL|X509|OSSL|EVP|BIO|OPENSSL|CRYPTO|PEM|ASN1)_", symbol)}
    assert to_crypto and all(name.startswith(("libssl.", "libcrypto.")) for name in to_crypto), to_crypto
