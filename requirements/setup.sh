#!/usr/bin/env bash
# Makes .venv with the pinned reference environment (Python 3.10, torch 2.3.1, mmcv 2.1.0, mmpose 1.3.2, detectron2).
# Called by `make setup`; a second call returns at once unless a requirements file has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
VENV=.venv
STAMP=$VENV/.orplugins-setup

say() { printf '[setup] %s\n' "$*"; }

stamp_now() { cat requirements/*.txt requirements/setup.sh setup.py | cksum; }
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(stamp_now)" ]; then
  exit 0
fi

is_310() { [ -n "$1" ] && "$1" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null; }
find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.10 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10*/bin/python \
                   "$(uv python find 3.10 2>/dev/null || true)"; do
    if is_310 "$candidate"; then echo "$candidate"; return 0; fi
  done
  return 1
}
if ! python=$(find_python); then
  echo "[setup] Python 3.10 was not found (looked at \$PYTHON, python3.10, python3, pyenv's versions and uv)." >&2
  echo "[setup] Install it ('pyenv install 3.10', 'uv python install 3.10', or your system's python3.10 and" >&2
  echo "[setup] python3.10-venv), or name one: make setup PYTHON=/path/to/python3.10" >&2
  exit 1
fi

say "Python 3.10: $python -> $VENV"
is_310 "$VENV/bin/python" || "$python" -m venv --clear "$VENV"
py=$VENV/bin/python
"$py" -m pip install --quiet "uv>=0.4"
# uv reads UV_FIND_LINKS where pip reads PIP_FIND_LINKS: hand a folder of ready wheels on to it.
if [ -n "${PIP_FIND_LINKS:-}" ] && [ -z "${UV_FIND_LINKS:-}" ]; then
  export UV_FIND_LINKS="${PIP_FIND_LINKS// /,}"
fi
install() { "$py" -m uv pip install --quiet --python "$py" "$@"; }

say "1/5 torch, torchvision, numpy and build tools"
install -r requirements/torch.txt
if "$py" -c 'import mmcv, sys; sys.exit(mmcv.__version__ != "2.1.0")' 2>/dev/null; then
  say "2/5 mmcv 2.1.0 is there"
else
  say "2/5 mmcv 2.1.0: seconds with a built wheel in PIP_FIND_LINKS, else compiled: about 12 minutes on two cores"
  # Python's own flags ask for debugging information, which doubles the time.
  CFLAGS="${CFLAGS:-} -g0" MMCV_WITH_OPS=1 install --no-build-isolation -r requirements/mmcv.txt
fi
say "3/5 what the hosts need"
install -r requirements/hosts.txt
say "4/5 mmpose and detectron2"
install --no-deps -r requirements/hosts-nodeps.txt
say "5/5 orplugins itself, test tools"
install -r requirements/dev.txt
install --no-deps --no-build-isolation --editable .
stamp_now > "$STAMP"
say "done: $("$py" --version) in $VENV"
