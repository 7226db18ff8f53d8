#!/usr/bin/env bash
# Sets up Faiss beside our benchmarks and compares them: run.sh CACHE COUNT [ROUNDS].
# CACHE is made by spellshield.benchmarks.latents.MakeLatents; ROUNDS are 5 unless given.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${JAVA_HOME:?set JAVA_HOME to a JDK 25}"
venv=${PEERS_VENV:-$here/../../out/peers-venv}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet faiss-cpu==1.15.1 numpy
fi
mvn -q -B -f "$here/../../pom.xml" -pl benchmarks -am -Dmaven.test.skip=true package
exec "$venv/bin/python" "$here/peers.py" "$@"
