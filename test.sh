#!/usr/bin/env bash
# Builds everything and runs every test, from a fresh clone. Needs the .NET SDK that global.json names, and Node for the TypeScript client.
# Arguments go to each .NET test program, and leave the client out, such as: ./test.sh -class '*SseEventParser*'
# Two test programs run at a time, each printed as a whole when it ends; PERENNIAL_JOBS=1 runs one after the other.
set -euo pipefail
cd "$(dirname "$0")"

configuration=Release
dotnet build Perennial.slnx --configuration "$configuration" --nologo --verbosity quiet

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
log="$logs/all"
status=0

# The longest come first.
suites=(clients/typescript Perennial.Packages.Tests Perennial.Tests Perennial.PostgreSql.Tests Perennial.Redis.Tests Perennial.AspNetCore.Tests Perennial.Cli.Tests Perennial.Clients.Tests Perennial.Samples.Tests Perennial.Testing.Tests Perennial.Hosting.Tests)
for project in tests/*.Tests/; do
    name=$(basename "$project")
    [[ " ${suites[*]} " == *" $name "* ]] || suites+=("$name")
done

# A shell that was started in the background ignores SIGINT, and so would the programs that tests interrupt.
interruptible=()
env --default-signal=INT true 2>/dev/null && interruptible=(env --default-signal=INT)

run_suite() {
    local suite=$1
    shift
    if [ "$suite" != clients/typescript ]; then
        ${interruptible[@]+"${interruptible[@]}"} "tests/$suite/bin/$configuration/net10.0/$suite" -noLogo -noColor "$@"
    elif [ $# -gt 0 ]; then
        return 0
    elif command -v npm >/dev/null; then
        cd clients/typescript && npm ci --silent && ${interruptible[@]+"${interruptible[@]}"} npm test
    elif [ "${CI:-}" = true ]; then
        echo "clients/typescript: Node is not installed" && return 1
    else
        echo "clients/typescript: SKIPPED, Node is not installed"
    fi
}

# Waits for one of the suites that run, and prints what it printed.
finish_one() {
    local done_pid
    wait -n -p done_pid || status=1
    tee -a "$log" <"$logs/${running[$done_pid]//\//-}"
    unset "running[$done_pid]"
}

declare -A running=()
for suite in "${suites[@]}"; do
    if [ "${#running[@]}" -ge "${PERENNIAL_JOBS:-2}" ]; then
        finish_one
    fi
    (run_suite "$suite" "$@") >"$logs/${suite//\//-}" 2>&1 </dev/null &
    running[$!]=$suite
done
while [ "${#running[@]}" -gt 0 ]; do
    finish_one
done
# What failed again, at the end, where a long log is looked at first.
grep -A 25 -E '\[FAIL\]|^ *✖ ' "$log" | sed 's/^/again: /' || true

# xUnit closes each program with one line of totals, the client's tests with one of their own.
awk '
    /Total: [0-9]+, Errors: / {
        for (i = 1; i < NF; i++) {
            if ($i == "Total:") total += $(i + 1)
            if ($i == "Errors:" || $i == "Failed:") failed += $(i + 1)
            if ($i == "Skipped:") skipped += $(i + 1)
            if ($i == "Not" && $(i + 1) == "Run:") notrun += $(i + 2)
        }
    }
    /^[0-9]+ passed, [0-9]+ failed$/ { total += $1 + $3; failed += $3 }
    END { printf "%d passed, %d failed, %d skipped\n", total - failed - skipped - notrun, failed, skipped }
' "$log"
exit "$status"
