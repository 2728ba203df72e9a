#!/usr/bin/env bash
# Tests and measures the tracker on a GPU, without network, in a few minutes; docs/gpu.md.
#
#   benchmarks/device.sh [--out DIR] [--weights FILE] [--data DIR] [--device cpu --dry]
#                        [--parts "tests boxes speed profile training"] [--share F]
#
# DIR (default $OUT, else ./device_report) gets report.md, report.json and log.txt. --weights are
# measured beside the embedded ones; --data is a folder of sequences in OTB's layout, for boxes and
# AUC. A part that fails or exceeds its time leaves the others alone; --share scales all times.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
out=${OUT:-device_report} parts="tests boxes speed profile training" share=1 device=cuda words=()
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2; shift 2 ;;
    --parts) parts=$2; shift 2 ;;
    --share) share=$2; shift 2 ;;
    --device) device=$2; shift 2 ;;
    --dry) words+=(--dry); shift ;;
    --weights | --data) words+=("$1" "$(realpath "$2")"); shift 2 ;;
    *) echo "device.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
cd "$root" || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
export PYTHONDONTWRITEBYTECODE=1
python=${PYTHON:-python3}
: >"$out/log.txt"

seconds() { "$python" -c "print(round($1 * $share))"; }

# part NAME SECONDS COMMAND...: its output to the log; it is stopped a little after its seconds
part() {
  local name=$1 limit began=$SECONDS status
  limit=$(seconds "$2"); shift 2
  case " $parts " in *" $name "*) ;; *) return 0 ;; esac
  timeout -k 10 $((limit + 30)) "$@" >"$work/$name.log" 2>&1
  status=$?
  { echo "== $name"; cat "$work/$name.log"; } >>"$out/log.txt"
  echo "$name $status $((SECONDS - began))" >>"$work/parts"
  echo "$name: exit status $status, $((SECONDS - began)) s"
}

# measure NAME SECONDS: the script of that name
measure() {
  part "$1" "$2" "$python" "$here/device_$1.py" --out "$work" --device "$device" \
    --seconds "$(seconds "$2")" "${words[@]}"
}

# Neither of these two is timed, so they share the machine.
mapfile -t tests < <(grep -rl "mark.cuda" tests --include "test_*.py" | sort)
part tests 90 env OMP_NUM_THREADS=2 "$python" -m pytest "${tests[@]}" -m cuda -q -rfEs -p no:cacheprovider \
  -W default --junitxml "$work/tests.xml" &
measure boxes 100 &
wait
measure speed 110
measure profile 40
measure training 70
"$python" "$here/device_report.py" "$work" "$out"
