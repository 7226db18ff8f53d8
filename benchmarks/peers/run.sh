#!/usr/bin/env bash
# Compares our searches with others on the same latents, and writes the tables and the plots:
#
#   run.sh CACHE COUNT [ROUNDS] [--parts exact,lucene,approximate,growth,boundary] [--into FILE]
#
# CACHE is made by spellshield.benchmarks.latents.MakeLatents; ROUNDS are 5 unless given. Needs a JDK
# 25, Python 3 with its headers, a C++ compiler, and hnswlib's headers (Debian's libhnswlib-dev).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${JAVA_HOME:?set JAVA_HOME to a JDK 25}"
venv=${PEERS_VENV:-$here/../../out/peers-venv}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
fi
# A venv that was cut off, or one of before, is completed.
"$venv/bin/python" -c 'import faiss, matplotlib, numpy, pybind11' 2>/dev/null ||
  "$venv/bin/pip" install --quiet faiss-cpu==1.15.1 matplotlib numpy pybind11
module=$venv/peers/graphs.so
if [ ! "$module" -nt "$here/graphs.cpp" ]; then
  mkdir -p "$venv/peers"
  # shellcheck disable=SC2046 # two options
  "${CXX:-c++}" -std=c++17 -O3 -march=native -fopenmp-simd -fPIC -shared -fvisibility=hidden \
    $("$venv/bin/python" -m pybind11 --includes) "$here/graphs.cpp" -o "$module.pending"
  mv "$module.pending" "$module"
fi
if [ -z "${SHIELD_BENCHMARKS:-}" ]; then
  mvn -q -B -f "$here/../../pom.xml" -pl benchmarks -am -Dmaven.test.skip=true package
fi
PYTHONPATH=$venv/peers exec "$venv/bin/python" "$here/peers.py" "$@"
