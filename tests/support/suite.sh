# SPDX-License-Identifier: MIT
# Read by the scripts in tests/suites. Environment: TOP (checkout), LOGS (folder for output); each has a default, so that a
# suite runs by hand too. A suite counts with `check` and `counted` and ends with `finish`.
: "${TOP:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${LOGS:=$TOP/build/logs}"
export TOP LOGS
. "$TOP/tests/support/cache.sh"
suite=$(basename "$0")
mkdir -p "$LOGS/$suite"
passed=0
failed=0

# check NAME COMMAND...: one test, passed if the command succeeds; its output is shown if it does not.
check() {
  name=$1; shift
  log="$LOGS/$suite/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9' _).log"
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $name"
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    tail -n 60 "$log" | sed 's/^/  /'
  fi
}

# counted NAME COMMAND...: a program whose last line is `N passed, N failed`. Anything else, or a count of failures that
# its exit status denies, is one more failure.
counted() {
  name=$1; shift
  log="$LOGS/$suite/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9' _).log"
  status=0
  "$@" >"$log" 2>&1 || status=$?
  last=$(tail -n 1 "$log")
  case $last in
    [0-9]*" passed, "[0-9]*" failed")
      more_passed=${last%% *}
      more_failed=${last#*, }; more_failed=${more_failed%% *} ;;
    *) more_passed=0 more_failed=1; echo "$name ended without a count (status $status)" ;;
  esac
  [ "$status" = 0 ] || [ "$more_failed" -gt 0 ] || { more_failed=1; echo "$name ended with status $status"; }
  [ "$more_passed" != 0 ] || [ "$more_failed" != 0 ] || { more_failed=1; echo "$name ran no test"; }
  passed=$((passed + more_passed))
  failed=$((failed + more_failed))
  echo "$name: $more_passed passed, $more_failed failed"
  [ "$more_failed" = 0 ] || { echo "  from $log:"; grep -v '^ok' "$log" | tail -n 80 | sed 's/^/  /'; }
}

# begun NAME COMMAND...: runs beside what follows, until `counted NAME ended NAME`. For what waits more than it works.
begun() {
  name=$1; shift
  rm -f "$LOGS/$suite/$name.status"
  { status=0; "$@" || status=$?; echo "$status" >"$LOGS/$suite/$name.status"; } >"$LOGS/$suite/$name.out" 2>&1 &
}
ended() { wait; cat "$LOGS/$suite/$1.out"; return "$(cat "$LOGS/$suite/$1.status" || echo 1)"; }

# tree VARIANT TARGET...: builds, and sets $tree; a build that fails ends the suite.
tree() {
  tree=$("$TOP/tests/support/build_tree" "$@") || { failed=$((failed + 1)); finish; }
}

# By the compiler cache, where there is one.
compiler() {
  command -v ccache >/dev/null && echo "ccache $1" || echo "$1"
}

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}
