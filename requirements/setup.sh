#!/usr/bin/env bash
# Makes the environment of one stack; called by `make setup`. A second call returns at once unless a file of this folder
# or the project's packaging has changed.
#
#   STACK=current   Python 3.11, 3.12 or 3.13, torch 2.14, NumPy 2 -> .venv (the default)
#   STACK=2024      Python 3.10, torch 2.3.1, NumPy 1.26           -> .venv-2024
#   MMCV=compiled   mmcv with its own operators, compiled here (minutes); else mmcv-lite with torchvision's
#   PYTHON=...      the interpreter to use
set -euo pipefail
cd "$(dirname "$0")/.."
STACK=${STACK:-current}
MMCV=${MMCV:-lite}
case "$STACK" in
  current) versions="3.11 3.12 3.13" venv=.venv ;;
  2024)    versions="3.10" venv=.venv-2024 ;;
  *) echo "[setup] STACK=$STACK: there are 'current' and '2024'" >&2; exit 2 ;;
esac
case "$MMCV" in lite | compiled) ;; *) echo "[setup] MMCV=$MMCV: there are 'lite' and 'compiled'" >&2; exit 2 ;; esac
stamp=$venv/.orplugins-setup
py=$venv/bin/python

say() { printf '[setup] %s\n' "$*"; }
fail() { printf '[setup] %s\n' "$@" >&2; exit 1; }

inputs=(requirements/*.txt requirements/setup.sh setup.py pyproject.toml orplugins/hosts/*/*.*)
stamp_now() { { echo "$STACK $MMCV"; cat "${inputs[@]}"; } | cksum; }
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(stamp_now)" ]; then
  exit 0
fi

# Prints "3.11" for an interpreter of one of the stack's versions that can make environments.
version_of() {
  [ -n "$1" ] && "$1" -c '
import sys, venv, ensurepip
version = "%d.%d" % sys.version_info[:2]
print(version)
sys.exit(version not in sys.argv[1:])' $versions 2>/dev/null
}
find_python() {
  local candidate version
  for candidate in "${PYTHON:-}" python3; do
    if version_of "$candidate" >/dev/null; then echo "$candidate"; return 0; fi
  done
  for version in $versions; do
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python \
                     "$(uv python find --no-project "$version" 2>/dev/null || true)"; do
      if version_of "$candidate" >/dev/null; then echo "$candidate"; return 0; fi
    done
  done
  return 1
}
if [ -n "${PYTHON:-}" ] && ! version_of "$PYTHON" >/dev/null; then
  fail "PYTHON=$PYTHON is not a Python of STACK=$STACK (${versions// /, }) with the modules venv and ensurepip"
fi
first=${versions%% *}
python=$(find_python) || fail \
  "STACK=$STACK needs Python ${versions// /, }; looked at python3, pythonX.Y, pyenv's versions and uv." \
  "Install one ('uv python install $first', 'pyenv install $first', or your system's python$first and" \
  "python$first-venv), or name one: make setup STACK=$STACK PYTHON=/path/to/python$first"
command -v "${CC:-cc}" >/dev/null || fail \
  "A C compiler is needed for xtcocotools (seconds): install gcc and your Python's headers, or set CC"

version=$(version_of "$python")
say "STACK=$STACK, Python $version ($python) -> $venv"
if [ "$(version_of "$py" || true)" != "$version" ]; then "$python" -m venv --clear "$venv"; fi
"$py" -m pip install --quiet --upgrade pip "uv>=0.4"
# uv reads UV_FIND_LINKS where pip reads PIP_FIND_LINKS: hand a folder of ready wheels on to it.
if [ -n "${PIP_FIND_LINKS:-}" ] && [ -z "${UV_FIND_LINKS:-}" ]; then
  export UV_FIND_LINKS="${PIP_FIND_LINKS// /,}"
fi
stack=requirements/stack-$STACK.txt
uv_install() { "$py" -m uv pip install --quiet --python "$py" "$@"; }
install() { uv_install --constraint "$stack" "$@"; }
build() { uv_install --no-deps --no-build-isolation "$@"; }

say "1/6 torch and torchvision (the large download)"
"$py" -m pip install --quiet --constraint "$stack" -r requirements/torch.txt
say "2/6 NumPy and build tools"
install -r requirements/build.txt
say "3/6 what the hosts need"
install -r requirements/hosts.txt
say "4/6 xtcocotools, compiled against this NumPy (seconds)"
PYTHONPATH=$PWD/orplugins/hosts/xtcocotools_build build --no-binary xtcocotools "xtcocotools==1.14.3"
say "5/6 mmpose and detectron2"
install --no-deps -r requirements/hosts-nodeps.txt
# mmcv and mmcv-lite are one folder: whichever is not wanted goes first, and the other is written anew.
if [ "$MMCV" = compiled ]; then
  say "    mmcv 2.1.0 with its own operators: seconds with a built wheel in PIP_FIND_LINKS, else compiled (minutes)"
  "$py" -m uv pip uninstall --quiet --python "$py" mmcv-lite mmcv-torchvision-ops
  # Python's own flags ask for debugging information, which doubles the time; where CFLAGS is set, a newer setuptools
  # leaves out Python's flags, the optimisation with them.
  CFLAGS="${CFLAGS:-} -O2 -g0" MMCV_WITH_OPS=1 build --reinstall-package mmcv "mmcv==2.1.0"
else
  "$py" -m uv pip uninstall --quiet --python "$py" mmcv
  build --reinstall-package mmcv-lite "mmcv-lite==2.1.0" ./orplugins/hosts/mmcv_ops
fi
# The wheel is tagged for Python 3.10. Its compiled part loads there alone; no config of ours calls it.
if [ "$version" = 3.10 ]; then
  uv_install --no-deps "sal-detectron2==0.7.2"
else
  uv_install --no-deps --python-version 3.10 \
    --target "$("$py" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" "sal-detectron2==0.7.2"
fi
say "6/6 orplugins itself, test tools"
install -r requirements/dev.txt
build --editable .
stamp_now > "$stamp"
say "done: $("$py" --version) in $venv"
