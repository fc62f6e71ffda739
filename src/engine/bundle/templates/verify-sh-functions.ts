// SPDX-License-Identifier: Apache-2.0

/** What the steps of verify.sh share: ways up the tree, keys and signatures. */
export const functions = String.raw`# For the programs of awk: places in the work folder, faults, and octal escapes (what printf turns into bytes) of base64 and hex.
lib='
function at(name) { return ENVIRON["work"] "/" name }
function fault(text) { print text >> at("faults") }
function whole(number) { return sprintf("%.0f", int(number)) }
function none(count, text) { while (length(text) < count) text = text "~"; return text }
function codes(n) {
  abc = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for (n = 0; n < 64; n++) six[substr(abc, n + 1, 1)] = n
  for (n = 0; n < 256; n++) { escape[n] = sprintf("\\%03o", n); byte[sprintf("%02x", n)] = escape[n] }
}
function base64(text, n, b, c, d, out) {
  if (text in known) return known[text]
  if (abc == "") codes()
  if (length(text) != 44 || text !~ /^[A-Za-z0-9+\/]+=$/ || six[substr(text, 43, 1)] % 4) return ""
  for (n = 1; n < 44; n += 4) {
    b = six[substr(text, n + 1, 1)]; c = six[substr(text, n + 2, 1)]; d = six[substr(text, n + 3, 1)]
    out = out escape[six[substr(text, n, 1)] * 4 + int(b / 16)] escape[b % 16 * 16 + int(c / 4)] (n < 41 ? escape[c % 4 * 64 + d] : "")
  }
  return known[text] = out
}
# Any text in base64; "none" of what is none, or not the shortest form of its bytes.
function unbase64(text, n, a, b, c, d, out, end) {
  if (abc == "") codes()
  if (text == "") return ""
  if (length(text) % 4 || text !~ /^[A-Za-z0-9+\/]+=?=?$/) return "none"
  end = index(text, "=")
  if (end && (end < length(text) ? six[substr(text, end - 1, 1)] % 16 : six[substr(text, end - 1, 1)] % 4)) return "none"
  for (n = 1; n < length(text); n += 4) {
    a = six[substr(text, n, 1)]; b = six[substr(text, n + 1, 1)]; c = substr(text, n + 2, 1); d = substr(text, n + 3, 1)
    out = out escape[a * 4 + int(b / 16)]
    if (c != "=") out = out escape[b % 16 * 16 + int(six[c] / 4)]
    if (d != "=") out = out escape[six[c] % 4 * 64 + six[d]]
  }
  return out
}
function hex(text, n, out) {
  if (text in known) return known[text]
  if (abc == "") codes()
  for (n = 1; n < length(text); n += 2) out = out byte[substr(text, n, 2)]
  return known[text] = out
}
function read_hashes(line, n) { while ((getline line < at("hashes")) > 0) hash[++n] = substr(line, 1, 64) }
# Which leaves are here, and how many between them are not.
function spanned(seq) {
  if (!spans++) span_first = seq
  span_last = seq
  if (ENVIRON["range_first"] != "" && seq >= ENVIRON["range_first"] + 0 && seq <= ENVIRON["range_last"] + 0) inside++
}
function say_span(from, to, missing, text) {
  from = ENVIRON["range_first"]
  to = ENVIRON["range_last"]
  missing = span_last - span_first + 1 - spans
  if ((spans ? whole(span_first) " " whole(span_last) : " ") != ENVIRON["named_span"]) fault("case_span: the case names another first or last leaf than the bundle holds")
  if (from != "" && (from + 0 > to + 0 || inside != to - from + 1)) fault("range_gap: the case says that its range is whole, and leaves of it are not here")
  text = "leaves " whole(span_first) " to " whole(span_last)
  if (!spans) text = "no leaf"
  else if (from != "") text = "leaves " from " to " to ", no gap" (spans > inside ? ", and " spans - inside " more" : "")
  else if (missing > 0) text = text ", " whole(missing) " leaves between are not here"
  else text = text ", no gap"
  print text > at("span")
}
# Parts that the case names as withheld: of one leaf, or of a run of them.
function read_withheld(line, field) {
  while ((getline line < at("withheld")) > 0) {
    split(line, field, " ")
    runs++
    run_from[runs] = field[2] + 0
    run_to[runs] = field[3] + 0
    run_of[field[1], ++run_count[field[1]]] = runs
  }
}
function covering(seq, name, n, run) {
  for (n = 1; n <= run_count[name]; n++) {
    run = run_of[name, n]
    if (run_from[run] <= seq + 0 && seq + 0 <= run_to[run]) return run
  }
  return 0
}
# Leaves of erasures, and what they took.
function erasures(id) {
  if ($0 !~ /"type":"erasure[.](intent|done)","v":1[}]$/ || !match($0, /"erasure_id":"[0-9a-f-]*"/)) return
  id = substr($0, RSTART + 14, RLENGTH - 15)
  print ($0 ~ /"type":"erasure[.]intent","v":1[}]$/ ? "intent" : "done"), seq, id > at("erasures")
}
function read_erased(line, field) {
  while ((getline line < at("erasures")) > 0) {
    split(line, field, " ")
    if (field[1] == "intent") intent_of[field[2]] = field[3]
    else done_at[field[3]] = field[2]
  }
  while ((getline line < at("erased")) > 0) {
    split(line, field, " ")
    if (field[1] in intent_of) erased[field[2]] = field[1]
  }
}
function erase(seq, name) {
  if (intent_of[erased[seq]] in done_at) taken[erased[seq]]++
  else fault("erasure_not_done: " name ", erased by leaf " erased[seq])
}
function say_erased(intent, count, text, next_one, last_one, more) {
  last_one = -1
  while (1) {
    next_one = -1
    for (intent in taken) if (intent + 0 > last_one && (next_one < 0 || intent + 0 < next_one)) next_one = intent + 0
    if (next_one < 0) break
    if (++count <= 20) text = text "; " taken[next_one ""] " erased by leaf " next_one ", done at leaf " done_at[intent_of[next_one ""]]
    else more++
    last_one = next_one
  }
  print text (more ? "; and by " more " more leaves" : "") > at("took")
}
function value(text) { return length(text) == 64 ? hex(text) : base64(text) }
'
# SHA-256 of all files of the folder of nodes in the order of their names; the folder is emptied.
hash_all() {
  (cd "$work/nodes" && ls | xargs sha256sum) >"$work/hashes"
  rm -rf "$work/nodes"
  mkdir "$work/nodes"
}
# The same of at most a thousand, which one command line takes: three programs less.
hash_few() {
  (cd "$work/nodes" && exec sha256sum -- *) >"$work/hashes" 2>/dev/null
  rm -f "$work/nodes"/*
}
# Follows hashes up a tree: lines of a name, index, last index, number of the hash, root, and the hashes beside the way. Names that reach their root go to "held".
# In batches: all nodes of a level that differ are hashed by one sha256sum.
fold() {
  : >"$work/held"
  while [ -s "$work/open" ]; do
    nodes=$(awk "$lib"'
      BEGIN { read_hashes() }
      {
        node = value(hash[$4])
        if (NF == 5 && $3 == 0 && node != "" && node == base64($5)) print $1 >> at("held")
        beside = base64($6)
        if ($3 == 0 || node == "" || beside == "") next
        if ($2 % 2 == 1 || $2 == $3) {
          pair = beside node
          while ($2 % 2 == 0 && $2 != 0) { $2 = whole($2 / 2); $3 = whole($3 / 2) }
        } else pair = node beside
        if (!(pair in made)) { made[pair] = ++count; printf "\\001%s", pair }
        line = $1 " " whole($2 / 2) " " whole($3 / 2) " " made[pair] " " $5
        for (n = 7; n <= NF; n++) line = line " " $n
        print line > at("next")
      }' "$work/open")
    [ -n "$nodes" ] && [ -f "$work/next" ] || break
    mv "$work/next" "$work/open"
    printf "$nodes" | split -b 65 -a 4 - "$work/nodes/"
    hash_few
  done
  rm -f "$work/open" "$work/next"
}
# Roots of complete subtrees: lines of a name and its hashes in "jobs" become lines of the name and the root in "roots". In batches, level by level.
roots() {
  : >"$work/roots"
  : >"$work/next"
  while [ -s "$work/jobs" ]; do
    nodes=$(awk "$lib"'
      NF == 2 { print >> at("roots"); next }
      { print > at("next"); for (n = 2; n < NF; n += 2) printf "\\001%s%s", hex($n), hex($(n + 1)) }' "$work/jobs")
    [ -n "$nodes" ] || break
    printf "$nodes" | split -b 65 -a 4 - "$work/nodes/"
    # Of a node there are 260 characters.
    if [ "${'$'}{#nodes}" -le 260000 ]; then hash_few; else hash_all; fi
    awk "$lib"'
      BEGIN { read_hashes() }
      { line = $1; for (n = 2; n < NF; n += 2) line = line " " hash[++count]; print line }' "$work/next" >"$work/jobs"
  done
  rm -f "$work/jobs" "$work/next"
}
# Whether the tree of a checkpoint extends that of an older one (RFC 9162, 2.1.4.2): the proof leads to both roots.
extends() {
  [ -z "$(tail -c 1 "$3")" ] || return 1
  older=$(sed -n 2,3p "$1") newer=$(sed -n 2,3p "$2") awk "$lib"'
    BEGIN { split(ENVIRON["older"], old, "\n"); split(ENVIRON["newer"], new, "\n") }
    NR == 1 && $0 != "old " old[1] { bad = 1; exit }
    NR > 1 { proof[++count] = $0 }
    END {
      if (bad || NR == 0 || count > 63 || old[1] !~ /^[1-9][0-9]*$/ || new[1] !~ /^[1-9][0-9]*$/ || length(new[1]) > 15 || old[1] + 0 > new[1] + 0) exit 1
      if (old[1] == new[1]) exit (count > 0 || old[2] != new[2])
      index_of = old[1] - 1
      last = new[1] - 1
      while (index_of % 2 == 1) { index_of = (index_of - 1) / 2; last = int(last / 2) }
      first = index_of == 0 ? old[2] : proof[n = 1]
      print first > at("hashes")
      line = "newer " whole(index_of) " " whole(last) " 1 " new[2]
      ones = 1
      while (++n <= count) {
        line = line " " proof[n]
        # To the old root lead those that stand to the left.
        if (index_of % 2 == 1 || index_of == last) {
          left = left " " proof[n]
          ones *= 2
          while (index_of % 2 == 0 && index_of != 0) { index_of /= 2; last = int(last / 2) }
        }
        index_of = int(index_of / 2)
        last = int(last / 2)
      }
      print line > at("open")
      print "older " whole(ones - 1) " " whole(ones - 1) " 1 " old[2] left > at("open")
    }' "$3" || return 1
  [ -f "$work/open" ] || return 0
  fold
  grep -q -x older "$work/held" && grep -q -x newer "$work/held"
}
# Lines of part, first and last leaf of what the case names as withheld; nothing may be named twice.
withheld() {
  grep -E -o -e "$part" data/case.json | sed 's/^{"last":\([0-9]*\),"part":"\([^"]*\)".*"seq":\([0-9]*\)}$/\2 \3 \1/; t
s/^{"part":"\([^"]*\)".*"seq":\([0-9]*\)}$/\1 \2 \2/' | sort -k 1,1 -k 2,2n >"$work/withheld"
  awk "$lib"'
    $1 == name && $2 + 0 <= last { fault("withheld_present: " $1 " of leaf " $2 " is named twice") }
    { last = $1 == name && last > $3 + 0 ? last : $3 + 0; name = $1 }' "$work/withheld"
}
hash64() { openssl dgst -sha256 -binary | base64 -w 0; }

number() { printf '%s' "$1" | grep -o "\"$2\":[0-9]*" | head -n 1 | sed 's/.*://'; }
field() { printf '%s' "$1" | grep -o "\"$2\":\"[^\"]*\"" | head -n 1 | sed 's/^[^:]*:"//; s/"$//'; }
# The key of a use and those before it, as long as each new one is signed by the one before (proof/keys.jsonl).
chain() {
  key=$2
  turn=0
  while echo "$key"; do
    turn=$((turn + 1))
    [ "$turn" -le 100 ] && [ -f proof/keys.jsonl ] || return 0
    line=$(grep -F '"type":"key.added"' proof/keys.jsonl | grep -F "\"use\":\"$1\"" | grep -F "\"public_key\":\"$key\"" | tail -n 1)
    before=$(field "$line" previous_key)
    [ -n "$before" ] || return 0
    printf 'affidavit/v1/key.added\n%s\n%s\n%s\n%s\n%s\n' "$principal" "$1" "$before" "$key" "$(number "$line" size)" >"$work/statement"
    field "$line" signature | base64 -d >"$work/statement.sig" 2>/dev/null
    verifies "$before" "$work/statement" "$work/statement.sig" || return 0
    key=$before
  done
}
# Whether a file is signed by a raw key in base64.
verifies() {
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; printf '%s' "$1" | base64 -d; } >"$work/public" 2>/dev/null
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/public" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1
}
# Whether a key of a use leads back to one of those in a file.
linked() { [ -s "$3" ] && chain "$1" "$2" >"$work/chain" && grep -q -x -F -f "$3" "$work/chain"; }
# Whether a file is a signed note and nothing else: three lines, an empty one, and lines of signatures whose base64 has one form.
note() {
  tr -d '\000' <"$1" | cmp -s - "$1" && [ -z "$(tail -c 1 "$1")" ] && awk "$lib"'
    (NR == 1 && !/^[^ \t\r\v\f+]+$/) || (NR == 2 && (!/^(0|[1-9][0-9]*)$/ || length($0) > 15)) { bad = 1 }
    (NR == 3 && base64($0) == "") || (NR == 4 && $0 != "") { bad = 1 }
    NR > 4 && (!/^— [^ \t\r\v\f+]+ [A-Za-z0-9+\/]+=*$/ || length(unbase64($3)) < 20) { bad = 1 }
    END { exit bad || NR < 5 }' "$1"
}
# Whether the first signature of a note is that of a raw key under the name of this log.
signed_by() {
  head -n 3 "$2" >"$work/older"
  sed -n '5s/.* //p' "$2" | base64 -d 2>/dev/null | tail -c 64 >"$work/older.sig"
  [ "$1" = "$identified" ] || { printf '%s\n\001' "$principal"; printf '%s' "$1" | base64 -d; } | openssl dgst -sha256 -binary | head -c 4 >"$work/id"
  identified=$1
  line="— $principal $(cat "$work/id" "$work/older.sig" | base64 -w 0)"
  [ "$(sed -n 5p "$2")" = "$line" ] && verifies "$1" "$work/older" "$work/older.sig"
}
# Whether a note is signed under the name of this log by its key or one before it.
signed() {
  [ "$(sed -n 1p "$1")" = "$principal" ] && note "$1" || return 1
  chain log "$(cat "$work/vkey")" >"$work/chain"
  while read -r key; do signed_by "$key" "$1" && return 0; done <"$work/chain"
  return 1
}
# The lines of a file of confirmed keys, whatever an editor put around them; no blank ones, no comments.
lines() { awk 'NR == 1 { sub(/^\357\273\277/, "") } { sub(/^[ \t]+/, ""); sub(/[ \t\r]+$/, "") } $0 != "" && !/^#/' "$1"; }
# The last 32 bytes of base64, and in base64 again what of a raw key is in a list of signers: its type stands before it.
raw() { base64 -d 2>/dev/null | tail -c 32 | base64 -w 0; }
blob() { { printf '\000\000\000\013ssh-ed25519\000\000\000\040'; printf '%s' "$1" | base64 -d; } | base64 -w 0; }
# The verifier key that a name, a type and a raw key make.
verifier() { printf '%s+%s+' "$1" "$({ printf '%s\n'"$2" "$1"; printf '%s' "$3" | base64 -d; } | sha256sum | cut -c 1-8)"; { printf "$2"; printf '%s' "$3" | base64 -d; } | base64 -w 0; }
# Raw keys of this log in base64, one a line: of a list of signers those under its name and no other, without options but a list of namespaces that has that of bundles; of verifier keys those of its name.
signers() {
  lines "$1" | principal=$principal awk '
    $1 "" != ENVIRON["principal"] "" { next }
    { at = 2 }
    $2 ~ /^namespaces="[^"]*"$/ { if (!index("," substr($2, 13, length($2) - 13) ",", ",affidavit-bundle,")) next; at = 3 }
    $at == "ssh-ed25519" { print $(at + 1) }' | while read -r listed; do
    key=$(printf '%s' "$listed" | raw)
    [ "$listed" != "$(blob "$key")" ] || echo "$key"
  done
}
vkeys() {
  lines "$1" | while read -r vkey; do
    case $vkey in "$principal+"*) ;; *) continue ;; esac
    key=$(printf '%s' "$vkey" | sed 's/^[^+]*+[^+]*+//' | raw)
    [ "$vkey" != "$(verifier "$principal" '\001' "$key")" ] || echo "$key"
  done
}
revoked() {
  [ -f proof/keys.jsonl ] || return 0
  line=$(grep -F '"type":"key.revoked"' proof/keys.jsonl | grep -F "\"public_key\":\"$1\"" | head -n 1)
  [ -z "$line" ] || fault "key_revoked: signed by a key revoked at leaf $(number "$line" seq)"
}

`
