import subprocess
import sys
from pathlib import Path

import pytest

from resources.address_guard import AddressGuard, Refused


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860:4860::8888", "2002:808:808::1"])
def test_public_addresses_are_allowed(host):
    AddressGuard().check((host, 443))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # metadata of cloud machines
        "100.64.0.1",  # RFC 6598
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff0e::1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",  # 10.0.0.1 by NAT64
        "2002:7f00:1::",  # 127.0.0.1 by 6to4
        "localhost",  # a name that nobody looked up
    ],
)
def test_others_are_refused_and_noted(host):
    guard = AddressGuard()
    with pytest.raises(Refused, match="no public address"):
        guard.check((host, 80, 0, 0))
    assert len(guard.refusals) == 1


def test_sockets_of_the_machine_itself_are_refused():
    with pytest.raises(Refused):
        AddressGuard().check("/run/docker.sock")


def test_configured_networks_are_allowed_and_no_more():
    guard = AddressGuard(["127.0.0.1/32", "fd00::/8"])
    guard.check(("127.0.0.1", 80))
    guard.check(("::ffff:127.0.0.1", 80))
    guard.check(("fd00::1", 80))
    with pytest.raises(Refused):
        guard.check(("127.0.0.2", 80))


def _in_a_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_hook_sees_where_a_name_leads_at_the_moment_of_connecting():
    # The second look-up answers otherwise than the first: DNS rebinding.
    told = _in_a_process(
        """
import socket
from resources.address_guard import AddressGuard, Refused
AddressGuard().install()
answers = iter(["93.184.216.34", "10.0.0.1"])
def look_up(host, port, *rest, **more):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]
socket.getaddrinfo = look_up
print(socket.getaddrinfo("example.com", 80)[0][4][0])
for reach in (
    lambda: socket.create_connection(("example.com", 80), 1),
    lambda: socket.socket().connect_ex(("127.0.0.1", 9)),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"", ("127.0.0.1", 9)),
):
    try:
        reach()
    except Refused as refused:
        print(refused)
"""
    )
    assert told.splitlines()[0] == "93.184.216.34"
    assert "10.0.0.1 is no public address" in told
    assert told.count("127.0.0.1 is no public address") == 2


def test_the_proxy_is_reached_where_its_name_leads():
    told = _in_a_process(
        """
import socket
from resources.address_guard import AddressGuard, Refused
AddressGuard(proxy_host="localhost").install()
try:
    socket.create_connection(("localhost", 9), 1)
except Refused:
    print("refused")
except OSError:
    print("reached")
"""
    )
    assert told == "reached\n"


def test_no_program_is_started_but_a_javascript_engine():
    told = _in_a_process(
        """
import os, subprocess
from resources.address_guard import AddressGuard, Refused
AddressGuard().install()
for start in (lambda: subprocess.run(["ffmpeg"]), lambda: os.system("true")):
    try:
        start()
    except Refused:
        print("refused")
try:
    subprocess.run(["/nowhere/deno"])
except FileNotFoundError:
    print("not there")
"""
    )
    assert told.split("\n") == ["refused", "refused", "not there", ""]


def test_clients_in_native_code_are_not_imported(tmp_path):
    (tmp_path / "curl_cffi.py").write_text("print('imported')")
    told = _in_a_process(
        f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from resources.address_guard import forbid_native_clients
forbid_native_clients()
import yt_dlp
with yt_dlp.YoutubeDL({{"quiet": True}}) as web:
    print(*web._request_director.handlers)
"""
    )
    assert "Urllib" in told
    assert "CurlCFFI" not in told
    assert "imported" not in told


def test_inside_a_block_only_hosts_on_the_list_are_looked_up():
    told = _in_a_process(
        """
import socket
from resources.address_guard import AddressGuard, Refused
guard = AddressGuard()
guard.install()
with guard.only(["tiktok.com"]):
    for host in ("127.0.0.1", b"localhost"):
        try:
            socket.getaddrinfo(host, 80)
        except Refused as refused:
            print(refused)
print(bool(socket.getaddrinfo("127.0.0.1", 80)))
"""
    )
    assert "the host 127.0.0.1 is not on the list" in told
    assert "the host localhost is not on the list" in told
    assert told.endswith("True\n")
