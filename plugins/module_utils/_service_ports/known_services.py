# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the configuration of services: adding one is adding an entry.

Files are searched line by line, includes are not followed: the globs name the usual places. Where a service is
configured and no line names a port, its default counts. That errs on the side of reserving a port too many, which
costs one quadruplet a destination; one too few may cost a service its start.
"""

from typing import NamedTuple, Tuple

from .endpoints import Span


class Service(NamedTuple):
    """One thing that a service listens with.

    ``pattern``: regular expression with one group, the endpoints; matched anywhere in a line, whatever the case.
    ``defaults``: ports when the files are there and none of their lines names one. ``needs``: expression that the file
    has to have somewhere. ``offset``: added to the port.
    """

    what: str
    globs: Tuple[str, ...]
    pattern: str
    defaults: Tuple[Span, ...] = ()
    needs: str = ""
    offset: int = 0


_HAPROXY = ("/etc/haproxy/haproxy.cfg", "/etc/haproxy/conf.d/*.cfg", "/usr/local/etc/haproxy/*.cfg")
_MYSQL = ("/etc/my.cnf", "/etc/my.cnf.d/*.cnf", "/etc/mysql/*.cnf", "/etc/mysql/*.conf.d/*.cnf")
_REDIS = (
    "/etc/redis.conf",
    "/etc/redis/*.conf",
    "/etc/valkey/*.conf",
    "/etc/redis-sentinel.conf",
    "/usr/local/etc/redis/*.conf",
)
_RABBIT = ("/etc/rabbitmq/rabbitmq.conf", "/etc/rabbitmq/conf.d/*.conf")
_RABBIT_ANY = (
    "/etc/rabbitmq/*.conf",
    "/etc/rabbitmq/*.config",
    "/lib/systemd/system/rabbitmq-server.service",
    "/usr/lib/systemd/system/rabbitmq-server.service",
)
_ELASTIC = ("/etc/elasticsearch/elasticsearch.yml", "/etc/opensearch/opensearch.yml")
_KAFKA = (
    "/etc/kafka/*.properties",
    "/etc/kafka/kraft/*.properties",
    "/opt/kafka*/config/*.properties",
    "/opt/kafka*/config/kraft/*.properties",
)
_ZOOKEEPER = (
    "/etc/zookeeper/zoo.cfg",
    "/etc/zookeeper/conf/zoo.cfg",
    "/opt/*zookeeper*/conf/zoo.cfg",
    "/etc/kafka/zookeeper.properties",
    "/opt/kafka*/config/zookeeper.properties",
)
_CASSANDRA = (
    "/etc/cassandra/cassandra.yaml",
    "/etc/cassandra/conf/cassandra.yaml",
    "/opt/*cassandra*/conf/cassandra.yaml",
)
_EXPORTER = r"--web\.listen-address[= ]([^\s\"']+)"
_NEVER = r"(?!)()"

SERVICES = (
    Service(
        "nginx",
        (
            "/etc/nginx/nginx.conf",
            "/etc/nginx/conf.d/*.conf",
            "/etc/nginx/sites-enabled/*",
            "/etc/nginx/sites-available/*",
            "/etc/nginx/stream*.d/*.conf",
            "/etc/nginx/modules-enabled/*.conf",
            "/usr/local/nginx/conf/*.conf",
            "/etc/openresty/*.conf",
            "/usr/local/openresty/nginx/conf/*.conf",
        ),
        r"(?:^|[\s{;])listen\s+(?![^;]*\b(?:udp|quic)\b)([^\s;]+)",
    ),
    Service("HAProxy bind", _HAPROXY, r"^\s*bind\s+(?!quic)(?:ipv[46]@)?(\S+)"),
    Service("HAProxy proxy with an address", _HAPROXY, r"^\s*(?:listen|frontend)\s+\S+\s+(\S*:\S+)"),
    Service("source ports that HAProxy picks itself", _HAPROXY, r"\ssource\s+(\S+:\d\S*)"),
    Service(
        "Apache",
        (
            "/etc/apache2/*.conf",
            "/etc/apache2/sites-*/*",
            "/etc/apache2/conf-*/*.conf",
            "/etc/httpd/conf/*.conf",
            "/etc/httpd/conf.d/*.conf",
            "/usr/local/apache2/conf/*.conf",
            "/usr/local/apache2/conf/extra/*.conf",
        ),
        r"^\s*Listen\s+(\S+)",
    ),
    Service(
        "sshd",
        ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"),
        r"^\s*(?:Port[\s=]+|ListenAddress[\s=]+(?=\S*:\d))(\S+)",
        ((22, 22),),
    ),
    Service(
        "Squid", ("/etc/squid/squid.conf", "/etc/squid/conf.d/*.conf"), r"^\s*https?_port\s+(\S+)", ((3128, 3128),)
    ),
    Service("PHP-FPM", ("/etc/php/*/fpm/pool.d/*.conf", "/etc/php-fpm.d/*.conf"), r"^\s*listen\s*=\s*(\S+)"),
    Service(
        "uWSGI",
        ("/etc/uwsgi/apps-enabled/*", "/etc/uwsgi.d/*.ini", "/etc/uwsgi/*.ini"),
        r"^\s*(?:http|https|http-socket|socket|uwsgi-socket|stats)\s*[=:]\s*(\S+)",
    ),
    Service(
        "Tomcat",
        ("/etc/tomcat*/server.xml", "/opt/*tomcat*/conf/server.xml", "/usr/share/tomcat*/conf/server.xml"),
        r"<(?:Connector|Server)\b[^>]*\bport=(\"\d+\")",
    ),
    Service(
        "PostgreSQL",
        (
            "/etc/postgresql/*/*/postgresql.conf",
            "/etc/postgresql/*/*/conf.d/*.conf",
            "/var/lib/pgsql/data/postgresql.conf",
            "/var/lib/pgsql/*/data/postgresql.conf",
            "/var/lib/postgresql/data/postgresql.conf",
        ),
        r"^\s*port\s*[= ]\s*(\S+)",
        ((5432, 5432),),
    ),
    Service("PgBouncer", ("/etc/pgbouncer/pgbouncer.ini",), r"^\s*listen_port\s*=\s*(\S+)", ((6432, 6432),)),
    Service("MySQL or MariaDB", _MYSQL, r"^\s*(?:loose[-_])?(?:admin[-_])?port\s*=\s*(\S+)", ((3306, 3306),)),
    Service("MySQL X protocol", _MYSQL, r"^\s*(?:loose[-_])?mysqlx[-_]port\s*=\s*(\S+)", ((33060, 33060),)),
    Service("Redis or Valkey", _REDIS, r"^\s*(?:tls-|cluster-)?port\s+(\S+)", ((6379, 6379),)),
    Service(
        "bus of a Redis or Valkey cluster",
        _REDIS,
        r"^\s*(?:tls-)?port\s+(\S+)",
        ((16379, 16379),),
        r"(?im)^\s*cluster-enabled\s+yes",
        10000,
    ),
    Service("memcached", ("/etc/memcached.conf",), r"^\s*(?:-p|--port)[\s=]+(\S+)", ((11211, 11211),)),
    Service("memcached", ("/etc/sysconfig/memcached",), r"^\s*PORT=(\S+)", ((11211, 11211),)),
    Service(
        "MongoDB",
        ("/etc/mongod.conf", "/etc/mongodb.conf", "/etc/mongos.conf"),
        r"^\s*port\s*[:=]\s*(\S+)",
        ((27017, 27017),),
    ),
    Service(
        "RabbitMQ", _RABBIT, r"^\s*(?:listeners\.(?:tcp|ssl)\.\w+|[\w.]+\.(?:tcp|ssl)?\.?(?:port|listener))\s*=\s*(\S+)"
    ),
    Service(
        "RabbitMQ",
        ("/etc/rabbitmq/rabbitmq.config", "/etc/rabbitmq/advanced.config"),
        r"\{\s*(?:(?:tcp|ssl)_listeners\s*,\s*\[|port\s*,\s*)([\d, ]+)",
    ),
    Service("RabbitMQ", ("/etc/rabbitmq/rabbitmq-env.conf",), r"^\s*(?:RABBITMQ_)?(?:NODE|DIST)_PORT=(\S+)"),
    Service(
        "RabbitMQ and Erlang distribution",
        _RABBIT_ANY,
        _NEVER,
        ((4369, 4369), (5672, 5672), (25672, 25672), (35672, 35682)),
    ),
    Service("Elasticsearch or OpenSearch HTTP", _ELASTIC, r"^\s*http\.port\s*:\s*(\S+)", ((9200, 9200),)),
    Service(
        "Elasticsearch or OpenSearch transport", _ELASTIC, r"^\s*transport\.(?:tcp\.)?port\s*:\s*(\S+)", ((9300, 9300),)
    ),
    Service("Kafka", _KAFKA, r"^\s*listeners\s*=\s*(.+)", ((9092, 9092),), r"(?m)^\s*(?:broker|node)\.id\s*="),
    Service(
        "ZooKeeper", _ZOOKEEPER, r"^\s*(?:secureClientPort|clientPort|admin\.serverPort)\s*=\s*(\S+)", ((2181, 2181),)
    ),
    Service("ZooKeeper quorum", _ZOOKEEPER, r"^\s*server\.\d+\s*=\s*[^:\s]+:(\d+)"),
    Service("ZooKeeper election", _ZOOKEEPER, r"^\s*server\.\d+\s*=\s*[^:\s]+:\d+:(\d+)"),
    Service("Cassandra internode", _CASSANDRA, r"^\s*storage_port\s*:\s*(\S+)", ((7000, 7000),)),
    Service("Cassandra internode with TLS", _CASSANDRA, r"^\s*ssl_storage_port\s*:\s*(\S+)", ((7001, 7001),)),
    Service(
        "Cassandra clients", _CASSANDRA, r"^\s*(?:native_transport_port(?:_ssl)?|rpc_port)\s*:\s*(\S+)", ((9042, 9042),)
    ),
    Service(
        "Cassandra JMX",
        (
            "/etc/cassandra/cassandra-env.sh",
            "/etc/cassandra/conf/cassandra-env.sh",
            "/opt/*cassandra*/conf/cassandra-env.sh",
        ),
        r"^\s*JMX_PORT=(\S+)",
        ((7199, 7199),),
    ),
    Service("Prometheus", ("/etc/default/prometheus", "/etc/sysconfig/prometheus"), _EXPORTER, ((9090, 9090),)),
    Service(
        "Prometheus node exporter",
        (
            "/etc/default/prometheus-node-exporter",
            "/etc/default/node_exporter",
            "/etc/sysconfig/node_exporter",
            "/etc/sysconfig/prometheus-node_exporter",
        ),
        _EXPORTER,
        ((9100, 9100),),
    ),
    Service("Prometheus exporter", ("/etc/default/*exporter*", "/etc/sysconfig/*exporter*"), _EXPORTER),
    Service("Grafana", ("/etc/grafana/grafana.ini",), r"^\s*http_port\s*=\s*(\S+)", ((3000, 3000),)),
    Service(
        "InfluxDB", ("/etc/influxdb/influxdb.conf",), r"^\s*bind-address\s*=\s*(\S+)", ((8086, 8086), (8088, 8088))
    ),
    Service(
        "etcd",
        ("/etc/default/etcd", "/etc/etcd/etcd.conf", "/etc/etcd.env"),
        r"^\s*ETCD_LISTEN_\w+_URLS=(\S+)",
        ((2379, 2380),),
    ),
    Service("Docker API", ("/etc/docker/daemon.json",), r"(tcp://[\w.:\[\]]+:\d+)"),
    Service(
        "Jenkins",
        ("/etc/default/jenkins", "/etc/sysconfig/jenkins"),
        r"^\s*(?:HTTP|JENKINS)_PORT=(\S+)",
        ((8080, 8080),),
    ),
    Service("Supervisor", ("/etc/supervisor/supervisord.conf", "/etc/supervisord.conf"), r"^\s*port\s*=\s*(\S+)"),
    Service(
        "Zabbix agent",
        ("/etc/zabbix/zabbix_agent*.conf", "/etc/zabbix/zabbix_agent*.d/*.conf"),
        r"^\s*ListenPort\s*=\s*(\S+)",
        ((10050, 10050),),
    ),
    Service(
        "Zabbix server or proxy",
        ("/etc/zabbix/zabbix_server.conf", "/etc/zabbix/zabbix_proxy.conf"),
        r"^\s*ListenPort\s*=\s*(\S+)",
        ((10051, 10051),),
    ),
    Service(
        "NRPE", ("/etc/nagios/nrpe.cfg", "/etc/nagios/nrpe.d/*.cfg"), r"^\s*server_port\s*=\s*(\S+)", ((5666, 5666),)
    ),
    Service("NFS daemons", ("/etc/nfs.conf", "/etc/nfs.conf.d/*.conf"), r"^\s*(?:outgoing-)?port\s*=\s*(\S+)"),
    Service(
        "vsftpd passive range",
        ("/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf"),
        r"^\s*(?:listen|pasv_(?:min|max))_port\s*=\s*(\S+)",
    ),
    Service("ProFTPD passive range", ("/etc/proftpd/proftpd.conf", "/etc/proftpd.conf"), r"^\s*Port\s+(\d+)"),
    Service("xinetd", ("/etc/xinetd.d/*",), r"^\s*port\s*=\s*(\S+)"),
    Service("libvirt migration and displays", ("/etc/libvirt/qemu.conf",), _NEVER, ((5900, 5999), (49152, 49215))),
    Service("Ceph", ("/etc/ceph/ceph.conf",), _NEVER, ((3300, 3300), (6789, 6789), (6800, 7300))),
    Service(
        "GlusterFS",
        ("/etc/glusterfs/glusterd.vol",),
        r"^\s*option\s+(?:base|max)-port\s+(\S+)",
        ((24007, 24008), (49152, 49251)),
    ),
    Service(
        "Kubernetes node",
        ("/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.conf", "/etc/rancher/*/*.yaml"),
        r"^\s*(?:readOnlyPort|healthzPort|port)\s*:\s*(\S+)",
        (),
    ),
    Service(
        "Kubernetes node",
        ("/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.conf", "/etc/rancher/*/*.yaml"),
        _NEVER,
        ((10248, 10250), (10256, 10256)),
    ),
    Service(
        "Kubernetes control plane",
        ("/etc/kubernetes/manifests/*.yaml",),
        r"--(?:secure-port|port|listen-\w+-urls|listen-metrics-urls|metrics-bind-address)=(\S+)",
    ),
)
