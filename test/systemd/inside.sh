#!/usr/bin/env bash
# What boot.sh runs in the container: the commands of docs/processes.md as they stand there, then questions to what they started.
exec >/opt/tesdiq/log 2>&1
trap 'systemctl poweroff --force --force' EXIT
set -euxo pipefail
cd /opt/tesdiq
ip link set lo up

# What the operator has: PostgreSQL with an empty database, keys, the provider's secret, and configurations after the examples.
version=$(ls /usr/lib/postgresql | sort -n | tail -1)
[ -d "/etc/postgresql/$version/main" ] || pg_createcluster "$version" main
systemctl start "postgresql@$version-main"
su postgres -c 'createdb tesdiq && psql -qc "CREATE ROLE owner SUPERUSER LOGIN PASSWORD '"'for-a-minute'"'"'
export OWNER='postgres://owner:for-a-minute@127.0.0.1/tesdiq'
install -d -m 700 operator operator/configuration
(cd operator &&
	tesdiq keys ceremony -plan ../docs/ceremony.example.toml -out ceremony -apply >/dev/null &&
	mkdir -m 700 offline && mv ceremony/root ceremony/issuing-ca offline/ && mv ceremony/service keys &&
	(umask 077; echo secret >sign-in.secret))
for p in issuer verifier casework; do
	sed 's|postgres://db.example:5432/tesdiq?sslmode=verify-full|postgres://127.0.0.1/tesdiq|; s|https://sign-in.example|https://localhost:8443|' docs/$p.example.toml >operator/configuration/$p.toml
done
# A sign-in provider that can be found.
mkdir -p provider/.well-known
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout provider.key -out provider.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost
cat provider.pem >>/etc/ssl/certs/ca-certificates.crt
a=https://localhost:8443
echo '{"issuer":"'$a'","authorization_endpoint":"'$a/a'","token_endpoint":"'$a/t'","jwks_uri":"'$a/j'","id_token_signing_alg_values_supported":["ES256"],"response_types_supported":["code"],"subject_types_supported":["public"]}' >provider/.well-known/openid-configuration
python3 - <<'PYTHON' &
import http.server, os, ssl
os.chdir("provider")
server = http.server.HTTPServer(("127.0.0.1", 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("../provider.pem", "../provider.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON

# The commands of the section "Setting up", one block after the other, in one shell.
sed -n '/^## Setting up/,$p' docs/processes.md | sed -n '/^ *```sh$/,/^ *```$/p' | grep -v '```' >setting-up.sh
set +u
source ./setting-up.sh
set -u
cd /opt/tesdiq

for port in 8081 8082 8083; do
	for try in $(seq 60); do
		[ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' localhost:$port/readyz)" = 200 ] && break
		[ "$try" -lt 60 ]
		sleep 0.5
	done
done
said() { echo "$*" >>saying; }
said "systemd $(systemctl --version | head -1 | cut -d' ' -f2): issuer, verifier and casework are ready"

openssl ocsp -issuer operator/keys/issuing-ca.pem -cert operator/keys/document-signer.pem -CAfile operator/keys/roots.pem -url http://localhost:8082/pki/ocsp 2>&1 | tee answer
grep -q 'document-signer.pem: good' answer
said 'openssl asks the verifier about the signer: good'

# A foreign file is read in a process that the unit lets start.
printf '%%PDF-1.7\nrubbish' >file.pdf
where=$(curl -s -m 20 -o page -w '%{http_code} %{redirect_url}' -F file=@file.pdf -F purpose=credit -H 'Sec-Fetch-Site: same-origin' localhost:8082/check)
said "a file is checked: $where"
[ "${where%% *}" = 303 ]

for p in issuer verifier casework; do
	pid=$(systemctl show -p MainPID --value tesdiq-$p)
	grep -q '^CapEff:.0000000000000000$' /proc/$pid/status
	grep -q '^CapBnd:.0000000000000000$' /proc/$pid/status
	grep -q '^NoNewPrivs:.1$' /proc/$pid/status
	grep -q '^Seccomp:.2$' /proc/$pid/status
	[ "$(stat -c %U /proc/$pid)" = tesdiq-$p ]
	# In its view of the machine: its own folder, nobody else's; nothing to write.
	inside="nsenter -t $pid -m setpriv --reuid tesdiq-$p --regid tesdiq-$p --clear-groups"
	for other in issuer verifier casework; do
		if $inside ls /etc/tesdiq/$other >/dev/null 2>&1; then [ $other = $p ]; else [ $other != $p ]; fi
	done
	for place in /etc/tesdiq/$p /var/lib /usr/local/bin; do ! $inside touch $place/x 2>/dev/null; done
	said "$p: its own user, no capability, filtered calls, its own folder alone, nothing to write"
done
for p in issuer verifier casework; do
	systemctl stop tesdiq-$p
	[ "$(systemctl show -p Result --value tesdiq-$p)" = success ]
done
! journalctl --no-pager -u 'tesdiq-*' | grep -E 'panic|"level":"(WARN|ERROR)"'
said 'all three stop well'
mv saying well
