# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports in configuration: a realistic snippet for the services, with what must not be taken."""

import re

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports import configuration, services_file
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports.endpoints import endpoint_spans
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports.known_services import SERVICES
from support.file_tree import make_tree


def ports(claims):
    return sorted(
        {claim.first if claim.first == claim.last else (claim.first, claim.last) for claim in claims}, key=str
    )


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("80", [80]),
        (":80", [80]),
        ("*:80,:81", [80, 81]),
        ("[::]:443", [443]),
        (":::5672", [5672]),
        ("'127.0.0.1:9000'", [9000]),
        ('"8080"', [8080]),
        ("[5671, 5672]", [5671, 5672]),
        ("PLAINTEXT://:9092,SSL://host:9093", [9092, 9093]),
        ("tcp://0.0.0.0:2376/x", [2376]),
        ("::1", []),
        ("[::1]", []),
        ("fe80::8080", []),
        ("10.0.0.1", []),
        ("/run/x:80", []),
        ("unix:/x:80", []),
        ("localhost", []),
        ("99999", []),
        ("80-70", []),
        ("", []),
    ],
)
def test_endpoints(text, spans):
    assert [first for first, _last in endpoint_spans(text)] == spans


CASES = [
    (
        "/etc/nginx/sites-available/site",
        (
            "server { listen 8080; listen [::]:8443 ssl;\n# listen 9;\n listen 443 quic;\n"
            " listen unix:/run/x;\n listen 127.0.0.1:8000-8003 udp;\n listen 10.0.0.1:8010-8012; proxy_pass http://a:9999;}"
        ),
        [8080, 8443, (8010, 8012)],
    ),
    (
        "/etc/haproxy/haproxy.cfg",
        (
            "frontend a\n bind :8080,:8081\n bind ipv6@:::8443 ssl\n bind /run/x level admin\n"
            " bind 10.0.0.1:9000-9010\nlisten stats *:1936\nbackend b\n"
            " server s 10.0.0.2:5555 source 10.0.0.1:20000-29999\n"
        ),
        [1936, 8080, 8081, 8443, (20000, 29999), (9000, 9010)],
    ),
    (
        "/etc/apache2/ports.conf",
        "Listen 8080\n<IfModule ssl_module>\n\tListen 10.0.0.1:8443 https\n</IfModule>\n#Listen 1\n",
        [8080, 8443],
    ),
    (
        "/etc/ssh/sshd_config",
        "Port 2222\nListenAddress 10.0.0.1:2200\nListenAddress 10.0.0.2\n#Port 22\nPermitOpen a:9\n",
        [2200, 2222],
    ),
    ("/etc/ssh/sshd_config", "#Port 22\nPasswordAuthentication no\n", [22]),
    (
        "/etc/postgresql/15/main/postgresql.conf",
        "port = 5433\t\t# (change requires restart)\n#port = 1\nsupport = 3\n",
        [5433],
    ),
    ("/etc/mysql/mariadb.conf.d/50-server.cnf", "[mysqld]\nport = 3307\n", [3307, 33060]),
    ("/etc/mysql/my.cnf", "[mysqld]\nreport-port = 1\n", [3306, 33060]),
    ("/etc/redis/redis.conf", "port 6380\n# cluster-enabled yes\nreplicaof 10.0.0.1 6399\n", [6380]),
    ("/etc/redis/redis.conf", "port 6380\ncluster-enabled yes\n", [6380, 16380]),
    ("/etc/memcached.conf", "-m 64\n-p 11311\n-u memcache\n-l 127.0.0.1\n", [11311]),
    ("/etc/sysconfig/memcached", 'PORT="11411"\nUSER="memcached"\n', [11411]),
    ("/etc/mongod.conf", "net:\n  port: 27117\n  bindIp: 127.0.0.1\n", [27117]),
    (
        "/etc/rabbitmq/rabbitmq.conf",
        "listeners.tcp.default = 5673\nmanagement.tcp.port = 15672\n",
        [5673, 15672, 4369, 5672, 25672, (35672, 35682)],
    ),
    (
        "/etc/rabbitmq/advanced.config",
        "[{rabbit, [{ssl_listeners, [5671]}]}].",
        [5671, 4369, 5672, 25672, (35672, 35682)],
    ),
    ("/etc/elasticsearch/elasticsearch.yml", "http.port: 9201\n#transport.port: 1\n", [9201, 9300]),
    (
        "/opt/kafka_2.13/config/server.properties",
        (
            "broker.id=1\nlisteners=PLAINTEXT://:9192,CONTROLLER://0.0.0.0:9193\nadvertised.listeners=PLAINTEXT://x:1\n"
            "zookeeper.connect=z:2181\n"
        ),
        [9192, 9193],
    ),
    ("/opt/kafka_2.13/config/producer.properties", "bootstrap.servers=localhost:9092\n", []),
    ("/etc/zookeeper/conf/zoo.cfg", "clientPort=2182\nserver.1=zk1:2888:3888\n", [2182, 2888, 3888]),
    (
        "/etc/cassandra/cassandra.yaml",
        "storage_port: 7010\nssl_storage_port: 7011\nnative_transport_port: 9142\n",
        [7010, 7011, 9142],
    ),
    ("/etc/cassandra/cassandra-env.sh", 'JMX_PORT="7299"\n', [7299]),
    ("/etc/default/prometheus-node-exporter", 'ARGS="--web.listen-address=:9111"\n', [9111]),
    ("/etc/default/prometheus-node-exporter", "ARGS=''\n", [9100]),
    (
        "/opt/tomcat9/conf/server.xml",
        (
            '<Server port="8005">\n<!--\n<Connector port="1111"/>\n-->\n<Connector\n />'
            '<Connector port="8080" redirectPort="8443"/>'
        ),
        [8005, 8080],
    ),
    (
        "/etc/kubernetes/manifests/etcd.yaml",
        (
            "    - --listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379\n"
            "    - --initial-cluster=a=https://10.0.0.1:2380\n"
        ),
        [2379],
    ),
    ("/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\nport: 10260\n", [10260, (10248, 10250), 10256]),
    ("/etc/docker/daemon.json", '{"hosts": ["unix:///run/docker.sock", "tcp://0.0.0.0:2376"]}', [2376]),
    ("/etc/vsftpd.conf", "pasv_min_port=40000\npasv_max_port=40000\nconnect_from_port_20=YES\n", [40000]),
    ("/etc/xinetd.d/x", "service x\n{\n port = 12345\n}\n", [12345]),
]


@pytest.mark.parametrize(("path", "text", "expected"), CASES)
def test_configuration_of_services(tmp_path, path, text, expected):
    claims, problems = configuration.find(make_tree(tmp_path, {path: text}))
    assert ports(claims) == sorted(expected, key=str)
    assert problems == []
    assert all(claim.where.startswith(path) for claim in claims)


def test_a_claim_names_its_line_and_its_default(tmp_path):
    files = make_tree(tmp_path, {"/etc/memcached.conf": "# x\n-p 11311\n", "/etc/mongod.conf": "net: {}\n"})
    told = {claim.first: (claim.where, claim.what) for claim in configuration.find(files)[0]}
    assert told[11311] == ("/etc/memcached.conf:2", "memcached: -p 11311")
    assert told[27017] == ("/etc/mongod.conf", "default of MongoDB, whose configuration names no port")


def test_nothing_configured_needs_nothing(tmp_path):
    assert configuration.find(make_tree(tmp_path, {})) == ([], [])


def test_an_unreadable_file_is_said_once_and_the_rest_read(tmp_path):
    files = make_tree(
        tmp_path, {"/etc/memcached.conf": "-p 11311", "/etc/redis/redis.conf": "#" * (1 << 20) + "\nport 1"}
    )
    claims, problems = configuration.find(files)
    assert ports(claims) == [11311]
    assert [(one.what, "larger" in one.reason) for one in problems] == [("/etc/redis/redis.conf", True)]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.what)
def test_every_entry_of_the_table_is_well_made(service):
    assert re.compile(service.pattern).groups == 1
    assert all(path.startswith("/") for path in service.globs)
    assert all(1 <= first <= last <= 65535 for first, last in service.defaults)


def test_services_file(tmp_path):
    text = "ssh\t22/tcp # x\nntp 123/udp\n#mysql 3306/tcp\nmysql\t\t3306/tcp\nbig 70000/tcp\n"
    claims, problems = services_file.find(make_tree(tmp_path, {"/etc/services": text}))
    assert [(claim.first, claim.where, claim.what) for claim in claims] == [
        (22, "/etc/services:1", "registered for ssh"),
        (3306, "/etc/services:4", "registered for mysql"),
    ]
    assert problems == []


def test_no_services_file_is_said(tmp_path):
    claims, problems = services_file.find(make_tree(tmp_path, {}))
    assert (claims, [one.what for one in problems]) == ([], ["/etc/services"])
