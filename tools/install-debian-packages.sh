#!/usr/bin/env bash
# Installs the Debian packages that the tests behind nginx, in a browser and with clients in other languages need, where
# they are missing: these tests are skipped without them. Asks nothing; uses sudo where it is needed and there is one.
set -u
export DEBIAN_FRONTEND=noninteractive
# Else the nginx package starts a server on port 80: with a system's runlevel 1, no package starts its service.
export RUNLEVEL=1
# nginx is in a folder that only root has on its path.
PATH="$PATH:/usr/sbin:/sbin"

missing=()
for name in chromium nginx curl; do
  command -v "$name" >/dev/null || missing+=("$name")
done
# Clients in other languages. Debian's own Python has its packages, whatever python3 is on the path.
/usr/bin/python3 -c 'import grpc' 2>/dev/null || missing+=(python3-grpcio)
command -v go >/dev/null || missing+=(golang-go)
[ -d /usr/share/gocode/src/google.golang.org/grpc ] || missing+=(golang-google-grpc-dev)
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi

if ! command -v apt-get >/dev/null; then
  echo "There is no apt-get here. Without ${missing[*]} the tests that need them are skipped."
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "Only root can install ${missing[*]}, and there is no sudo without a password. The tests that need them are skipped."
    exit 0
  fi
  as_root=(sudo -n --preserve-env=DEBIAN_FRONTEND,RUNLEVEL)
fi

apt=("${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 -o Acquire::http::Timeout=30)
echo "Installing the Debian packages ${missing[*]} ..."
"${apt[@]}" update </dev/null
# One by one: where one of them cannot be had, the others can.
for name in "${missing[@]}"; do
  "${apt[@]}" install -y --no-install-recommends "$name" </dev/null >/dev/null ||
    echo "Could not install $name. The tests that need it are skipped."
done
