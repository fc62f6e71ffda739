// SPDX-License-Identifier: Apache-2.0

/**
 * Steps 5 and 6 of verify.sh for a bundle with tiles: which tiles there have to be, the root over all that are above the leaves, and a sample of
 * the leaves and of their contents. It says which, and counts both steps as not checked.
 */
export const tileSteps = String.raw`  skipped=$((skipped + 1))
  tr -d '\000' <data/leaves.jsonl | cmp -s - data/leaves.jsonl && [ -z "$(tail -c 1 data/leaves.jsonl)" ] || fault 'leaf_schema: a byte that no leaf holds, or a last line without an end'
  find data/tile -type f | sort >"$work/present"
  awk "$lib"'
    function path(level, tile, width, text, rest) {
      text = sprintf("%03d", tile % 1000)
      for (rest = int(tile / 1000); rest > 0; rest = int(rest / 1000)) text = sprintf("x%03d/", rest % 1000) text
      return "data/tile/" level "/" text (width == 256 ? "" : ".p/" width)
    }
    function need(level, position, hashes, tile, width) {
      hashes = int(size / span[level])
      if (hashes < 1) return
      if (position > hashes - 1) position = hashes - 1
      tile = int(position / 256)
      if ((level, tile) in needed) return
      width = hashes - tile * 256
      if (width > 256) width = 256
      needed[level, tile]
      # Levels above the leaves are read whole; of the leaves, the last tile always.
      print path(level, tile, width), level, whole(tile), width, (level > 0 || tile == int((hashes - 1) / 256)) > at("needed")
    }
    BEGIN {
      size = ENVIRON["size"] + 0
      span[0] = 1
      for (levels = 1; span[levels - 1] * 256 < size; levels++) span[levels] = span[levels - 1] * 256
      last = -1
    }
    {
      rest = $0
      seq = ""
      while (match(rest, /"seq":[0-9]*,/)) { seq = substr(rest, RSTART + 6, RLENGTH - 7); rest = substr(rest, RSTART + RLENGTH) }
      if (seq == "" || length(seq) > 15 || seq ~ /^0./) { fault("leaf_schema: a line without a leaf number"); next }
      if (seq + 0 <= last) fault("leaf_order: leaf " seq)
      last = seq + 0
      spanned(last)
      erasures()
      if (last >= size) { fault("leaf_not_in_tree: leaf " seq); next }
      tile = int(last / 256)
      if (!(tile in tiles)) {
        tiles[tile]
        order[count++] = tile
        for (level = 0; level < levels; level++) need(level, int(last / span[level]))
      }
      print NR, seq, whole(tile) > at("seqs")
    }
    END {
      say_span()
      for (level = 0; level < levels; level++) need(level, size)
      # The first tile of leaves, the one in the middle, and the last.
      print whole(order[0]), whole(order[int(count / 2)]), whole(order[count - 1]) > at("chosen")
    }' data/leaves.jsonl
  touch "$work/needed" "$work/seqs" "$work/chosen"
  sed 's/ .*//' "$work/needed" | sort >"$work/wanted"
  awk 'NR==FNR {a[$0]=1; next} !($0 in a) {print "tile_missing: " $0}' "$work/present" "$work/wanted" >>"$faults"
  awk 'NR==FNR {a[$0]=1; next} !($0 in a) {print "stray_tile: " $0}' "$work/wanted" "$work/present" >>"$faults"
  awk "$lib"'
    BEGIN { if ((getline line < at("chosen")) > 0) { n = split(line, part, " "); for (i = 1; i <= n; i++) chosen[part[i]] } }
    $5 == 1 || $3 in chosen' "$work/needed" >"$work/taken"
  : >"$work/have"
  while read -r file level tile width last; do
    [ -f "$file" ] || continue
    if [ "$(wc -c <"$file")" -ne $((width * 32)) ]; then fault "tile_missing: $file has the wrong length"; continue; fi
    od -An -v -tx1 "$file" | awk -v level="$level" -v first="$tile" '{ gsub(/ /, ""); if (NR % 2) half = $0; else printf "%s %.0f %s\n", level, first * 256 + NR / 2 - 1, half $0 }' >>"$work/have"
  done <"$work/taken"
  # Each whole tile leads to its hash in the tile above, and the complete subtrees of the tree to its root.
  awk "$lib"'
    BEGIN {
      size = ENVIRON["size"] + 0
      # Powers by doubling: not every awk has an operator for them.
      for (bit = two = 1; bit <= 60; bit++) { power[bit - 1] = two; two *= 2 }
      while ((getline line < at("have")) > 0) { split(line, part, " "); have[part[1], part[2]] = part[3] }
    }
    function job(name, level, first, count, n, text) {
      text = name
      for (n = 0; n < count; n++) { if (!((level, whole(first + n)) in have)) return 0; text = text " " have[level, whole(first + n)] }
      print text > at("jobs")
      return 1
    }
    {
      if ($4 == 256 && int(size / power[8 * ($2 + 1)]) > $3) {
        if (!(($2 + 1, $3) in have)) fault("tile_missing: the tile above " $1)
        else if (job($1, $2, $3 * 256, 256)) print $1, have[$2 + 1, $3] > at("above")
      }
    }
    END {
      start = 0
      for (bit = 52; bit >= 0; bit--) {
        if (size - start < power[bit]) continue
        level = int(bit / 8)
        if (!job("peak" sprintf("%02d", 52 - bit), level, start / power[8 * level], power[bit - 8 * level])) fault("tile_missing: a tile that the root needs")
        start += power[bit]
      }
    }' "$work/taken"
  touch "$work/above"
  roots
  awk "$lib"'
    BEGIN { while ((getline line < at("roots")) > 0) { split(line, part, " "); root[part[1]] = part[2] } }
    root[$1] != $2 { fault("tile_changed: " $1) }' "$work/above"
  over=
  for peak in $(grep '^peak' "$work/roots" | sort -r | sed 's/.* //'); do
    if [ -z "$over" ]; then over=$peak; else over=$(printf "$(echo "$peak $over" | awk "$lib"'{ printf "\\001%s%s", hex($1), hex($2) }')" | sha256sum | cut -c 1-64); fi
  done
  [ "$over" = "$(printf '%s' "$root" | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n')" ] || fault 'tile_root: the tiles do not lead to the root of the checkpoint'
  # The leaves of the chosen tiles are those that the tree holds.
  awk "$lib"'
    BEGIN { if ((getline line < at("chosen")) > 0) { n = split(line, part, " "); for (i = 1; i <= n; i++) chosen[part[i]] } }
    $3 in chosen { print $1, $2 }' "$work/seqs" >"$work/sample"
  awk 'NR == FNR { want[$1]; next } FNR in want' "$work/sample" data/leaves.jsonl >"$work/lines"
  name=10000
  set -f
  IFS='
'
  for line in $(cat "$work/lines"); do
    name=$((name + 1))
    printf '\000%s' "$line" >"$work/nodes/$name"
  done
  unset IFS
  set +f
  hash_all
  sampled=$(wc -l <"$work/sample")
  export sampled
  awk "$lib"'
    BEGIN {
      read_hashes()
      while ((getline line < at("have")) > 0) { split(line, part, " "); if (part[1] == 0) have[part[2]] = part[3] }
    }
    hash[NR] == "" || hash[NR] != have[$2] { fault("leaf_not_in_tree: leaf " $2) }
    END { if (NR == 0 || NR != ENVIRON["sampled"] + 0) fault("leaf_not_in_tree: not every leaf of the sample could be checked") }' "$work/sample"
  if [ -f proof/keys.jsonl ]; then
    awk "$lib"'NR == FNR { leaf[$0]; next } !($0 in leaf) { fault("key_leaf_missing: proof/keys.jsonl") }' data/leaves.jsonl proof/keys.jsonl || fault 'key_leaf_missing: proof/keys.jsonl could not be checked'
  fi
  step 5 'Every leaf in the tree' "not checked here but for a sample: $((sampled)) of $leaves leaves, those of three tiles; $(cat "$work/span")$left; use the app or the command line"
`

/** Step 6: contents of twenty-five leaves of that sample, and of every erasure. */
export const listSteps = String.raw`  skipped=$((skipped + 1))
  # At most twenty-five leaves of the sample, spread over it: a part of more than six kilobytes takes two programs.
  awk -v all="$((sampled))" '{ at = int((NR - 1) * 25 / all); if (all <= 25 || NR == 1 || at != before) print $1; before = at }' "$work/sample" >"$work/opened"
  awk "$lib"'
    BEGIN { while ((getline line < at("opened")) > 0) want[line] }
    FNR in want || /"name":"scope\.[0-9]+"/ {
      all = FNR in want
      rest = $0
      seq = ""
      while (match(rest, /"seq":[0-9]*,/)) { seq = substr(rest, RSTART + 6, RLENGTH - 7); rest = substr(rest, RSTART + RLENGTH) }
      rest = $0
      while (match(rest, /"commit":"[^"]*","media":"[^"]*","name":"[^"]*"/)) {
        split(substr(rest, RSTART, RLENGTH), field, "\"")
        rest = substr(rest, RSTART + RLENGTH)
        if (all || field[12] ~ /^scope/) print seq, field[12], field[4], all
      }
    }' data/leaves.jsonl >"$work/parts"
  withheld
  awk "$lib"'
    BEGIN { while ((getline line < at("parts")) > 0) { split(line, part, " "); want[part[1] " " part[2]] } }
    {
      if (!match($0, /^\{"opening":"[A-Za-z0-9+\/=]*","part":"[a-z.0-9]*","plaintext":"/)) { fault("payload_unreadable: a line that is no payload"); next }
      split(substr($0, 1, RLENGTH), field, "\"")
      text = substr($0, RLENGTH + 1)
      end = index(text, "\"")
      rest = substr(text, end)
      if (rest !~ /^","seq":[0-9]+\}$/) { fault("payload_unreadable: a line that is no payload"); next }
      seq = substr(rest, 9, length(rest) - 9)
      if (((seq " " field[8]) in want)) print seq, field[8], field[4], substr(text, 1, end - 1)
    }' data/payloads/*.jsonl >"$work/contents"
  awk "$lib"'
    BEGIN { read_withheld() }
    FILENAME == at("contents") { if (($1 " " $2) in here) fault("stray_payload: leaf " $1 ", " $2 " is here twice"); here[$1 " " $2]; next }
    { closed = covering($1, $2) }
    ($1 " " $2) in here { print $1, $2, $3 > at("commits"); if (closed) fault("withheld_present: leaf " $1 ", " $2); next }
    !closed && $4 == 1 { print > at("lacking") }' "$work/contents" "$work/parts"
  touch "$work/commits" "$work/lacking"
  sort "$work/contents" >"$work/contents.sorted"
  sort "$work/commits" >"$work/commits.sorted"
  # Openings, and contents of a few kilobytes, as what printf turns into bytes; an opening of another length is none.
  awk "$lib"'
    {
      opening = base64($3)
      if (opening == "") fault("opening_length: leaf " $1 ", " $2)
      small = length($4) <= 8192
      print 10000 + NR, $1, $2, (opening == "" ? "none" : opening), (small ? "bytes" : "base64"), (small ? unbase64($4) : $4)
    }' "$work/contents.sorted" >"$work/openings"
  : >"$work/sums"
  : >"$work/scopes"
  while read -r name seq part opening form content; do
    if [ "$form" = bytes ]; then
      printf "$opening"'affidavit/v1/'"$part"'\000'"$content" >"$work/nodes/$name"
    else
      echo "$({ printf "$opening"'affidavit/v1/'"$part"'\000'; printf '%s' "$content" | base64 -d; } 2>/dev/null | sha256sum) $name" >>"$work/sums"
    fi
    case $part in scope.*) echo "$name $seq $(printf "$content" | tr -cd '0-9')" >>"$work/scopes" ;; esac
  done <"$work/openings"
  hash_few
  cat "$work/hashes" >>"$work/sums"
  matched=$(awk "$lib"'
    BEGIN {
      while ((getline line < at("sums")) > 0) { n = split(line, part, " "); sum[part[n]] = part[1] }
      while ((getline line < at("commits.sorted")) > 0) { split(line, part, " "); commit[++count] = part[3]; of[count] = part[1] " " part[2] }
    }
    of[NR] == $2 " " $3 && hex(sum[$1]) != "" && hex(sum[$1]) == base64(commit[NR]) { matched++; holds[$1]; next }
    { fault("payload_changed: leaf " $2 ", " $3) }
    END {
      while ((getline line < at("scopes")) > 0) { split(line, part, " "); if (part[1] in holds) print part[2], part[3] > at("erased") }
      print matched + 0
    }' "$work/openings")
  touch "$work/erased"
  awk "$lib"'
    BEGIN { read_erased() }
    !($1 in erased) { fault("part_missing: leaf " $1 ", " $2); next }
    { erase($1, "leaf " $1 ", " $2) }
    END { say_erased() }' "$work/lacking"
  step 6 'Every payload against its commitment' "not checked here but for a sample: $matched parts of $(wc -l <"$work/opened" | tr -d ' ') leaves$(cat "$work/took")"
`
