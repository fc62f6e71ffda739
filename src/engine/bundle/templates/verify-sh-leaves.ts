// SPDX-License-Identifier: Apache-2.0
import {
  keysConfirmed,
  keysUnconfirmed,
  noCiphertext,
  stampedBy,
  stampedByAnybody,
  unanchored,
  whatItSays,
  witnessed
} from '../../../shared/evidence/rests-on.ts'
import { SAMPLE, whatToDo } from '../../../shared/evidence/verdict-words.ts'
import { listSteps, tileSteps } from './verify-sh-tiles.ts'

/** Steps 5 and 6 of verify.sh and its last line. They work in batches: a program started for each leaf and each payload takes minutes. */
export const leafSteps = String.raw`# 5
size=
root=
{ IFS= read -r size; IFS= read -r size; IFS= read -r root; } <proof/checkpoint
case $size in '' | 0* | *[!0-9]* | ????????????????*) fault 'checkpoint_unreadable: no tree size'; size=1 ;; esac
export work size root
set -- $(wc -lc <data/leaves.jsonl) 0 0
leaves=$1
# Each field of the case where it stands first; a line for each, in one go.
awk '
  function found(pattern, skip, rest) { if (!match($0, pattern)) return ""; return substr($0, RSTART + skip, RLENGTH - skip - rest) }
  NR == 1 {
    n = split("records_in_scope records leaves first_seq last_seq tree_size", name, " ")
    for (i = 1; i <= n; i++) print found("\"" name[i] "\":[0-9]*", length(name[i]) + 3, 0)
    print found("\"origin\":\"[^\"]*\"", 10, 1)
    range = found("\"range\":[{]\"first\":[0-9]*,\"last\":[0-9]*[}]", 17, 1)
    sub(/,"last":/, "\n", range)
    print range == "" ? "\n" : range
    fits = within("app", 0, 32) && within("origin", 1, 200) && within("purpose", 0, 500) && within("query", 0, 8192) && within("recipient", 0, 200) && within("requested_by", 0, 128)
    n = split($0, piece, /"reason":"/)
    for (i = 2; i <= n; i++) { long = characters(piece[i]); if (long < 1 || long > 200) fits = 0 }
    print fits
  }
  # The characters of the text that a string begins with; of what is no UTF-8 more than any limit.
  function characters(string, text) {
    match(string, /^([^"\\]|\\.)*/)
    text = substr(string, 1, RLENGTH)
    gsub(/\\(u....|.)/, "x", text)
    if (text !~ /[\200-\377]/) return length(text)
    gsub(/[\302-\337][\200-\277]|\340[\240-\277][\200-\277]|[\341-\354\356\357][\200-\277][\200-\277]|\355[\200-\237][\200-\277]/, "x", text)
    gsub(/\360[\220-\277][\200-\277][\200-\277]|[\361-\363][\200-\277][\200-\277][\200-\277]|\364[\200-\217][\200-\277][\200-\277]/, "x", text)
    return text ~ /[\200-\377]/ ? 99999 : length(text)
  }
  function within(field, least, most, start, long) {
    if (!(start = index($0, "\"" field "\":\""))) return 0
    long = characters(substr($0, start + length(field) + 4))
    return long >= least && long <= most
  }' data/case.json >"$work/described" 2>/dev/null
{ read -r in_scope; read -r records; read -r named_leaves; read -r first_seq; read -r last_seq; read -r tree_size; IFS= read -r case_origin; read -r range_first; read -r range_last; read -r fits; } <"$work/described"
text='"([^"\]|\\(["\bfnrt]|u00(0[0-7bef]|1[0-9a-f])))*"'
day='(([0-9][0-9][2468][048]|[0-9][0-9][13579][26]|[0-9][0-9]0[48]|[02468][048]00|[13579][26]00)-02-29|[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])))'
date="\"$day""T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]+)?)?Z\""
count='(0|[1-9][0-9]{0,14})'
part="\\{(\"last\":$count,)?\"part\":\"(event|request|response|error|body|attachment\\.[0-9]{1,4}|scope\\.[0-9]{1,9})\",\"reason\":$text,\"seq\":$count\\}"
shape="\\{\"app\":$text,\"first_seq\":(null|$count),\"last_seq\":(null|$count),\"leaves\":$count,\"origin\":$text,\"purpose\":$text,\"query\":$text,(\"range\":\\{\"first\":$count,\"last\":$count\\},)?\"recipient\":$text,\"records\":$count,\"records_in_scope\":$count,\"requested_by\":$text,\"sample\":(true|false),\"tree_size\":$count,\"v\":1,\"withheld\":\\[($part(,$part)*)?\\],\"written\":$date\\}"
out=0
if [ "$(wc -l <data/case.json)" -eq 1 ] && [ "$fits" = 1 ] && tr -d '\000-\011\013-\037' <data/case.json | cmp -s - data/case.json && [ -z "$(tail -c 1 data/case.json)" ] && grep -E -q -x -e "$shape" data/case.json; then
  out=$((in_scope - records))
else
  fault 'case_unreadable: data/case.json'
fi
[ "$case_origin" = "$principal" ] || fault 'case_origin: log and case do not name the same origin'
[ "$records" = "$(grep -E '"type":"llm\.(recorded|request)","v":1\}$' data/leaves.jsonl | grep -v -c '"span_role":"wrapper"')" ] || fault 'case_count: the case names another number of records'
[ "$named_leaves" = "$leaves" ] || fault 'case_count: the case names another number of leaves'
named_span="$first_seq $last_seq"
export named_span range_first range_last
[ "$out" -eq 0 ] || { [ "$out" -gt 0 ] && [ -z "$range_first$range_last" ]; } || fault 'case_scope: the case names a number of records in scope that does not fit'
samples=$(grep -c -E -e '"sample":true,"seq":[0-9]+,' data/leaves.jsonl)
sample=$(grep -o -E -e '"sample":(true|false)' data/case.json | head -n 1)
[ -n "$samples" ] || samples=0
[ "$samples" -eq "$(if [ "$sample" = '"sample":true' ]; then echo "$leaves"; else echo 0; fi)" ] || fault 'case_sample: case and leaves do not agree on whether this is a sample'
left=
[ "$out" -le 0 ] || left="; $out restricted records in scope left out"
: >"$work/span"
: >"$work/took"
[ "$tree_size" = "$size" ] || fault 'case_size: the case names another tree size than the checkpoint'
if [ -d data/tile ]; then
${tileSteps}elif [ "$leaves" -gt 1000 ] || [ "$2" -gt 65536000 ]; then
  fault 'layout: more than 1000 leaves need tiles'
  step 5 'Every leaf in the tree' ok
else
  tr -d '\000' <data/leaves.jsonl | cmp -s - data/leaves.jsonl && [ -z "$(tail -c 1 data/leaves.jsonl)" ] || fault 'leaf_schema: a byte that no leaf holds, or a last line without an end'
  find data/proofs -type f 2>/dev/null | sort >"$work/proofs"
  awk "$lib"'
    BEGIN {
      while ((getline line < at("proofs")) > 0) { present[line]; files++ }
      while ((getline line < "proof/checkpoint") > 0) checkpoint[++lines] = line
      last = -1
      size = ENVIRON["size"] + 0
    }
    $0 != "" { number++ }
    {
      rest = $0
      seq = ""
      while (match(rest, /"seq":[0-9]*,/)) { seq = substr(rest, RSTART + 6, RLENGTH - 7); rest = substr(rest, RSTART + RLENGTH) }
      if (seq == "" || length(seq) > 15 || seq ~ /^0./) { fault("leaf_schema: a line without a leaf number"); next }
      if (seq + 0 <= last) fault("leaf_order: leaf " seq)
      last = seq + 0
      spanned(last)
      erasures()
      rest = $0
      while (match(rest, /"commit":"[^"]*","media":"[^"]*","name":"[^"]*"/)) {
        split(substr(rest, RSTART, RLENGTH), field, "\"")
        rest = substr(rest, RSTART + RLENGTH)
        if (field[12] ~ /^(event|request|response|error|body|attachment\.[0-9]+|scope\.[0-9]+)$/) print seq, field[12], field[4] > at("parts")
        else fault("leaf_schema: leaf " seq " names a part that there is not")
      }
      proof = "data/proofs/" seq ".tlog-proof"
      if (!(proof in present)) { fault("proof_missing: leaf " seq); next }
      print proof > at("read")
      if (next_line() != "c2sp.org/tlog-proof@v1") fault("leaf_not_in_tree: " proof " is no proof")
      if (next_line() != "index " seq) fault("proof_swapped: " proof)
      path = ""
      for (count = 0; next_line() != ""; count++) path = path " " line
      for (n = 1; n <= lines && next_line() == checkpoint[n]; n++);
      if (n <= lines || (getline line < proof) > 0) fault("proof_checkpoint: " proof)
      close(proof)
      print number, seq > at("expected")
      if (seq + 0 < size && count <= 64) print number, seq, whole(size - 1), number, ENVIRON["root"] path > at("open")
    }
    END {
      if (files != NR) fault("stray_proof: another number of proofs than leaves")
      say_span()
    }
    function next_line() {
      if ((getline line < proof) <= 0) return line = ""
      print line > at("copy")
      return line
    }' data/leaves.jsonl
  # What was compared line by line is the same byte by byte.
  : >>"$work/read"
  : >>"$work/copy"
  : >>"$work/expected"
  [ -s "$faults" ] || xargs cat <"$work/read" | cmp -s - "$work/copy" || fault 'leaf_not_in_tree: a proof with other bytes than its lines'
  name=10000
  set -f
  IFS='
'
  for line in $(cat data/leaves.jsonl); do
    name=$((name + 1))
    printf '\000%s' "$line" >"$work/nodes/$name"
  done
  unset IFS
  set +f
  hash_few
  fold
  awk "$lib"'
    BEGIN { while ((getline line < at("held")) > 0) held[line] }
    !($1 in held) { fault("leaf_not_in_tree: leaf " $2) }' "$work/expected"
  # A program that broke off has checked less.
  [ -s "$faults" ] || [ "$(wc -l <"$work/held")" -eq "$leaves" ] || fault 'leaf_not_in_tree: not every leaf could be checked'
  if [ -f proof/keys.jsonl ]; then
    awk "$lib"'NR == FNR { leaf[$0]; next } !($0 in leaf) { fault("key_leaf_missing: proof/keys.jsonl") }' data/leaves.jsonl proof/keys.jsonl || fault 'key_leaf_missing: proof/keys.jsonl could not be checked'
  fi
  IFS= read -r span <"$work/span"
  step 5 'Every leaf in the tree' "ok, $span$left"
fi

# 6
if [ -d data/tile ]; then
${listSteps}else
  : >>"$work/parts"
  withheld
  # Leaves that an erasure in this bundle names, behind the leaf of its intent; the scope is checked below like every part.
  find data/payload -type f -name '*.scope.*' ! -name '*.opening' -exec grep -o '{"seq":[0-9]*}' /dev/null {} + 2>/dev/null | sed 's#^data/payload/\([0-9]*\)[.].*:\([0-9]*\)}$#\1 \2#' >"$work/erased"
  find data/payload -type f -exec wc -c {} + 2>/dev/null >"$work/sizes"
  awk "$lib"'
    BEGIN {
      while ((getline line < at("sizes")) > 0) {
        sub(/^ */, "", line)
        space = index(line, " ")
        name = substr(line, space + 1)
        if (name ~ /^data\/payload\//) { size[name] = substr(line, 1, space - 1); files++ }
      }
      read_withheld()
      read_erased()
    }
    {
      file = "data/payload/" $1 "." $2
      opening = file ".opening"
      if (run = covering($1, $2)) {
        out++
        named[run]
        if ((file in size) || (opening in size)) fault("withheld_present: " file)
      } else if (!(file in size) && !(opening in size) && ($1 in erased)) { gone++; erase($1, file) }
      else if (!(file in size)) fault("part_missing: " file)
      else if (!(opening in size)) fault("opening_missing: " file)
      else if (size[opening] != 32) fault("opening_length: " opening)
      else print file, $2, $3, size[file] > at(size[file] + 0 <= 65536 ? "small" : "large")
    }
    END {
      say_erased()
      for (run = 1; run <= runs; run++) if (!(run in named)) fault("withheld_present: leaf " run_from[run] ", named as withheld, but no leaf has it")
      print NR - out - gone > at("wanted")
      if (files != (NR - out - gone) * 2) fault("stray_payload: another number of payload files than the leaves have parts")
    }' "$work/parts"
  : >>"$work/small"
  : >>"$work/large"
  : >>"$work/opened"
  while read -r file part commit length; do
    found=$({ cat "$file.opening"; printf 'affidavit/v1/%s\000' "$part"; cat "$file"; } | hash64)
    if [ "$found" = "$commit" ]; then echo "$file" >>"$work/opened"; else fault "payload_changed: $file"; fi
  done <"$work/large"
  # Small ones by the hundred, for speed: opening, domain and payload are put one behind the other as an archive, which one program unpacks.
  split -l 500 -a 4 "$work/small" "$work/batch."
  for batch in "$work"/batch.*; do
    [ -f "$batch" ] || continue
    mkdir "$work/head" "$work/domain" "$work/pad"
    rm -f "$work/pieces" "$work/domains" "$work/pads"
    awk "$lib"'
      BEGIN { letters = "abcdefghijklmnopqrstuvwxyz" }
      function put(piece) { print piece > at("pieces") }
      function block(n) { return "head/" substr(letters, int(n / 26) + 1, 1) substr(letters, n % 26 + 1, 1) }
      function sum(digits, n, total) { for (n = 1; n <= length(digits); n++) total += 48 + substr(digits, n, 1); return total }
      {
        bytes = 32 + 13 + length($2) + 1 + $4
        name = sprintf("%06d", NR)
        numbers = "0000600~0000000~0000000~" sprintf("%011o", bytes) "~00000000000~"
        check = numbers
        gsub(/~/, "", check)
        printf "%s%s%s%06o~ 0%sustar~00%s", name, none(94), numbers, sum(name) + sum(check) + 8 * 32 + 48 + 655, none(100), none(247)
        put(block(NR - 1)); put("bundle/" $1 ".opening"); put("domain/" $2); put("bundle/" $1)
        if (!($2 in part)) { part[$2]; print $2 > at("domains") }
        fill = 512 - bytes % 512
        if (fill == 512) next
        put("pad/" fill)
        if (!(fill in pad)) { pad[fill]; print fill > at("pads") }
      }
      END { printf "%s", none(1024); put(block(NR)); put(block(NR + 1)) }' "$batch" | tr '~' '\000' | split -b 512 -a 2 - "$work/head/"
    for part in $(cat "$work/domains"); do printf 'affidavit/v1/%s\000' "$part" >"$work/domain/$part"; done
    for fill in $(cat "$work/pads" 2>/dev/null); do printf '%0'"$fill"'d' 0 >"$work/pad/$fill"; done
    (cd "$work" && xargs cat <pieces | tar -xmf - -C nodes) || { echo 'no room for temporary files' >&2; exit 2; }
    rm -r "$work/head" "$work/domain" "$work/pad"
    hash_few
    awk "$lib"'
      BEGIN { read_hashes() }
      {
        if (hex(hash[NR]) != "" && hex(hash[NR]) == base64($3)) print $1 >> at("opened")
        else fault("payload_changed: " $1)
      }' "$batch"
  done
  wanted=
  IFS= read -r wanted <"$work/wanted"
  [ -s "$faults" ] || [ "$(wc -l <"$work/opened")" -eq "$wanted" ] || fault 'payload_changed: not every payload could be checked'
  IFS= read -r took <"$work/took"
  step 6 'Every payload against its commitment' "ok$took"
fi

if [ "$failed" -ne 0 ]; then
  printf '   %s\n' ${whatToDo.map((sentence) => `'${sentence}'`).join(' ')}
else
  if [ -n "$trust" ]; then echo '   ${keysConfirmed}'; else echo '   ${keysUnconfirmed}'; fi
  if [ -n "$time" ] && [ -n "$authority" ]; then echo "   ${stampedBy('$time')}"; fi
  if [ -n "$time" ] && [ -z "$authority" ]; then echo "   ${stampedByAnybody('$time')}"; fi
  if [ -n "$cosigned" ]; then echo '   ${witnessed}'; fi
  if [ -z "$time$cosigned" ]; then echo '   ${unanchored}'; fi
  printf '   %s\n' '${noCiphertext}' '${whatItSays}'
fi
if [ "$samples" -gt 0 ] || [ "$sample" = '"sample":true' ]; then echo '${SAMPLE}'; fi
if [ "$failed" -ne 0 ]; then echo invalid; exit 1; fi
if [ "$skipped" -eq 1 ]; then echo "no fault found, 1 step not checked"; exit 0; fi
if [ "$skipped" -gt 0 ]; then echo "no fault found, $skipped steps not checked"; exit 0; fi
if [ -n "$trust" ]; then echo valid; else echo "consistent, signer not confirmed"; fi
exit 0
`
