"""A listener with TLS, a login, or both, in front of a broker that has neither.

secured_listener.py PORT_FILE TARGET_FILE [--tls CERTIFICATE KEY] [--client-ca FILE] [--sasl MECHANISM NAME PASSWORD]
                    [--lifetime MS]

Writes its port to PORT_FILE, then waits for the broker's port in TARGET_FILE. What is asked before the login is answered as a
broker does: versions are the broker's, with the two requests of a login added. Every login is noted on standard output.
"""

import argparse
import base64
import hashlib
import hmac
import os
import secrets
import socket
import ssl
import struct
import sys
import threading
import time

SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE = 17, 18, 36
LOGIN_REQUESTS = [(SASL_HANDSHAKE, 0, 1), (SASL_AUTHENTICATE, 0, 2)]
UNSUPPORTED_MECHANISM, ILLEGAL_STATE, AUTHENTICATION_FAILED = 33, 34, 58


def read(stream, count):
    data = b""
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_frame(stream):
    return read(stream, struct.unpack(">i", read(stream, 4))[0])


def send_frame(stream, frame):
    stream.sendall(struct.pack(">i", len(frame)) + frame)


def unsigned(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def with_logins(answer, version):
    """The broker's answer to ApiVersions, with the requests of a login among what it offers."""
    head, body = answer[:6], answer[6:]
    if version < 3:
        (count,) = struct.unpack(">i", body[:4])
        added = b"".join(struct.pack(">hhh", *entry) for entry in LOGIN_REQUESTS)
        return head + struct.pack(">i", count + len(LOGIN_REQUESTS)) + added + body[4:]
    count = shift = used = 0
    while True:
        byte = body[used]
        count |= (byte & 127) << shift
        shift, used = shift + 7, used + 1
        if byte < 128:
            break
    added = b"".join(struct.pack(">hhh", *entry) + b"\0" for entry in LOGIN_REQUESTS)
    return head + unsigned(count + len(LOGIN_REQUESTS)) + added + body[used:]


def text(value):
    return b"\xff\xff" if value is None else struct.pack(">h", len(value)) + value.encode()


class Plain:
    def __init__(self, name, password):
        self.expected = f"\0{name}\0{password}".encode()

    def answer(self, message):
        if message != self.expected:
            raise PermissionError("wrong name or password")
        return b"", True


class Scram:
    """The server's half of RFC 5802."""

    def __init__(self, digest, name, password):
        self.digest, self.name, self.salt = digest, name.replace("=", "=3D").replace(",", "=2C"), secrets.token_bytes(16)
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), self.salt, 4096)
        self.client_key, self.server_key = self.mac(salted, b"Client Key"), self.mac(salted, b"Server Key")
        self.first = None

    def mac(self, key, message):
        return hmac.new(key, message, self.digest).digest()

    def answer(self, message):
        if self.first is None:
            bare = message.decode().split(",", 2)[2]
            parts = dict(part.split("=", 1) for part in bare.split(","))
            if parts["n"] != self.name:
                raise PermissionError("no such user")
            first = f"r={parts['r']}{secrets.token_hex(8)},s={base64.b64encode(self.salt).decode()},i=4096"
            self.first = f"{bare},{first}"
            return first.encode(), False
        without_proof, proof = message.decode().rsplit(",p=", 1)
        whole = f"{self.first},{without_proof}".encode()
        signature = self.mac(hashlib.new(self.digest, self.client_key).digest(), whole)
        if bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature)) != self.client_key:
            raise PermissionError("wrong password")
        return b"v=" + base64.b64encode(self.mac(self.server_key, whole)), True


class Login:
    """A connection's login; `done` once it stands."""

    def __init__(self, options):
        self.mechanism, self.name, self.password = options.sasl
        self.lifetime, self.steps, self.done = options.lifetime, None, False

    def handshake(self, frame):
        (length,) = struct.unpack(">h", frame[:2])
        mechanism = frame[2 : 2 + length].decode()
        if mechanism != self.mechanism:
            return struct.pack(">hi", UNSUPPORTED_MECHANISM, 1) + text(self.mechanism)
        kinds = {"PLAIN": Plain, "SCRAM-SHA-256": lambda *a: Scram("sha256", *a), "SCRAM-SHA-512": lambda *a: Scram("sha512", *a)}
        self.steps = kinds[mechanism](self.name, self.password)
        return struct.pack(">hi", 0, 1) + text(self.mechanism)

    def authenticate(self, version, frame):
        if version >= 2:
            size, used, shift = 0, 0, 0
            while True:
                byte = frame[used]
                size |= (byte & 127) << shift
                used, shift = used + 1, shift + 7
                if byte < 128:
                    break
            message = frame[used : used + size - 1]
        else:
            message = frame[4:]
        error, reason, answer, ends = 0, None, b"", False
        try:
            answer, ends = self.steps.answer(message)
        except PermissionError as refusal:
            error, reason = AUTHENTICATION_FAILED, str(refusal)
        self.done = self.done or ends
        if ends:
            print(f"login {self.mechanism} {self.name}", flush=True)
        lifetime = struct.pack(">q", self.lifetime if ends else 0)
        if version >= 2:
            said = b"\0" if reason is None else unsigned(len(reason) + 1) + reason.encode()
            return struct.pack(">h", error) + said + unsigned(len(answer) + 1) + answer + lifetime + b"\0", error
        body = struct.pack(">h", error) + text(reason) + struct.pack(">i", len(answer)) + answer
        return body + (lifetime if version >= 1 else b""), error


def serve(client, target, options):
    try:
        if options.context:
            client = options.context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
            try:
                client.do_handshake()
            except ssl.SSLError as failure:
                print(f"connection refused: {failure}", flush=True)
                # Who hangs up with bytes unread takes his last word back.
                socket.socket.shutdown(client, socket.SHUT_WR)
                socket.socket.settimeout(client, 2)
                while socket.socket.recv(client, 65536):
                    pass
                return
        broker = socket.create_connection(("127.0.0.1", target))
        login = Login(options) if options.sasl else None
        pump = None
        while login:
            # A new login comes between other requests, whose answers are in order: everything goes through here.
            frame = read_frame(client)
            key, version, correlation = struct.unpack(">hhi", frame[:8])
            (name,) = struct.unpack(">h", frame[8:10])
            body = frame[10 + max(0, name) :]
            if key == SASL_HANDSHAKE:
                send_frame(client, struct.pack(">i", correlation) + login.handshake(body))
            elif key == SASL_AUTHENTICATE:
                flexible = version >= 2
                answer, error = login.authenticate(version, body[1:] if flexible else body)
                send_frame(client, struct.pack(">i", correlation) + (b"\0" if flexible else b"") + answer)
                if error:
                    return
            elif key == API_VERSIONS:
                send_frame(broker, frame)
                send_frame(client, with_logins(read_frame(broker), version))
            elif not login.done:
                return
            elif options.lifetime:
                send_frame(broker, frame)
                send_frame(client, read_frame(broker))
            else:
                send_frame(broker, frame)
                break
        pump = threading.Thread(target=copy, args=(broker, client), daemon=True)
        pump.start()
        copy(client, broker)
    except (OSError, EOFError, ssl.SSLError) as failure:
        print(f"connection ended: {failure}", flush=True)
    finally:
        client.close()


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        try:
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("port_file")
    arguments.add_argument("target_file")
    arguments.add_argument("--tls", nargs=2)
    arguments.add_argument("--client-ca")
    arguments.add_argument("--sasl", nargs=3)
    arguments.add_argument("--lifetime", type=int, default=0)
    options = arguments.parse_args()
    options.context = None
    if options.tls:
        options.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        options.context.load_cert_chain(*options.tls)
        if options.client_ca:
            options.context.verify_mode = ssl.CERT_REQUIRED
            options.context.load_verify_locations(options.client_ca)
    listener = socket.create_server(("127.0.0.1", 0))
    with open(options.port_file + ".new", "w") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(options.port_file + ".new", options.port_file)
    while not os.path.exists(options.target_file):
        time.sleep(0.01)
    target = int(open(options.target_file).read())
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, target, options), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
