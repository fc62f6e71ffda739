// SPDX-License-Identifier: Apache-2.0
import { layoutPatterns, required } from '../../../shared/evidence/bundle-layout.ts'
import { functions } from './verify-sh-functions.ts'
import { leafSteps } from './verify-sh-leaves.ts'

/**
 * verify.sh: POSIX shell, ssh-keygen, openssl, sha256sum and coreutils. The same six steps and words as the other verifiers.
 * Checks all leaves up to 1,000; beyond that the tree above them and a sample, and says how many steps it did not check whole.
 */
export const verifySh = String.raw`#!/bin/sh
# Verifies this bundle with stock tools. usage: sh verify.sh [FOLDER WITH CONFIRMED log.vkey AND allowed_signers]
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd) || exit 2
cd "$here" || exit 2
for tool in ssh-keygen openssl sha256sum base64 awk sed grep find xargs sort split tar mktemp; do
  command -v "$tool" >/dev/null 2>&1 || { echo "missing: $tool (Debian packages: openssl, openssh-client, coreutils)" >&2; exit 2; }
done
# What is older would call a genuine bundle false: both are tried first, the second with a signature of RFC 8032.
if ssh-keygen -Y verify 2>&1 </dev/null | grep -q -e 'option -- Y'; then echo 'this ssh-keygen cannot verify signatures of files: OpenSSH 8.2 or newer is needed' >&2; exit 2; fi
trust=$1
if [ -n "$trust" ]; then
  case $trust in /*) ;; *) trust=$OLDPWD/$trust ;; esac
  [ -f "$trust/log.vkey" ] && [ -f "$trust/allowed_signers" ] || { echo "the folder of confirmed keys needs log.vkey and allowed_signers" >&2; exit 2; }
fi
# In memory where that is: many small files are slow on a disk, and payloads in clear need not come to lie on one.
work=$(mktemp -d /dev/shm/affidavit.XXXXXX 2>/dev/null) || work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
failed=0
skipped=0
time=
authority=
identified=
faults=$work/faults
printf '\257\202' >"$work/body"
printf 'YpHWV97sJAJIJ+acOr4BowzlSKKEdDpEXjaA19taw6wY/5tTjRbykK5n92CYTcZZSnwV6XFu0o3AJ77O6h7ECg==' | base64 -d >"$work/sig"
printf '%s\n' '-----BEGIN PUBLIC KEY-----' 'MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=' '-----END PUBLIC KEY-----' >"$work/pem"
openssl pkeyutl -verify -pubin -inkey "$work/pem" -rawin -in "$work/body" -sigfile "$work/sig" >/dev/null 2>&1 || { echo "this openssl cannot verify Ed25519 ($(openssl version 2>/dev/null)): OpenSSL 3 is needed" >&2; exit 2; }
mkdir "$work/nodes"
ln -s "$here" "$work/bundle"
: >"$faults"
fault() { echo "$1" >>"$faults"; }
step() {
  if [ -s "$faults" ]; then
    failed=1
    echo "$1  $2: FAILED"
    head -n 20 "$faults" | sed 's/^/   /'
  else
    echo "$1  $2: $3"
  fi
  : >"$faults"
}
${functions}# What cannot be read says nothing of the bundle: no verdict.
unreadable() { echo "the confirmed keys cannot be read: $1" >&2; exit 2; }
if [ -n "$trust" ]; then
  for name in log.vkey allowed_signers tsa-ca.pem witness.vkey; do
    [ ! -e "$trust/$name" ] || cat "$trust/$name" >/dev/null 2>&1 || unreadable "$name"
  done
  lines "$trust/log.vkey" | grep -q -E '^[^ +]+[+][0-9a-f]{8}[+][A-Za-z0-9+/]+=*$' || unreadable 'log.vkey has no verifier key'
  lines "$trust/allowed_signers" | grep -q -E '[[:blank:]](ssh|ecdsa|sk)-[^[:blank:]]+[[:blank:]]+AAAA' || unreadable 'allowed_signers has no signer'
  [ ! -f "$trust/tsa-ca.pem" ] || openssl x509 -noout -in "$trust/tsa-ca.pem" 2>/dev/null || unreadable 'tsa-ca.pem has no certificate'
  if [ -f "$trust/witness.vkey" ]; then
    lines "$trust/witness.vkey" >"$work/witnesses"
    while read -r vkey; do
      [ "$vkey" = "$(verifier "$(printf '%s' "$vkey" | sed 's/+.*//')" '\004' "$(printf '%s' "$vkey" | sed 's/^[^+]*+[^+]*+//' | raw)")" ] || unreadable 'witness.vkey has a line that is no verifier key of a witness'
    done <"$work/witnesses"
  fi
fi
# A link, a device or a name of two lines could make a program below read, or wait for, something that is not of the bundle.
find . ! -type d ! -type f | sed 's#^\./#extra_file: a link: #' >"$faults"
[ -z "$(find . -name '*
*')" ] || fault 'extra_file: a name of more than one line'
if [ -s "$faults" ]; then
  step 2 'Both manifests, and no extra files' ok
  echo invalid
  exit 1
fi

# 1
principal=$(sed -n 1p proof/checkpoint 2>/dev/null)
# The one text of a signature with the key and the 64 bytes that it has: the file is in no manifest, and ssh-keygen takes others too.
sed '1d; $d' tagmanifest-sha256.txt.sig 2>/dev/null | base64 -d >"$work/seal" 2>/dev/null
{
  echo '-----BEGIN SSH SIGNATURE-----'
  {
    printf 'SSHSIG\000\000\000\001\000\000\000\063\000\000\000\013ssh-ed25519\000\000\000\040'
    head -c 65 "$work/seal" | tail -c 32
    printf '\000\000\000\020affidavit-bundle\000\000\000\000\000\000\000\006sha512\000\000\000\123\000\000\000\013ssh-ed25519\000\000\000\100'
    tail -c 64 "$work/seal"
  } | base64 -w 70
  echo '-----END SSH SIGNATURE-----'
} | cmp -s - tagmanifest-sha256.txt.sig || fault 'bundle_signature: the signature is not in the form that ssh-keygen writes'
ssh-keygen -Y check-novalidate -n affidavit-bundle -s tagmanifest-sha256.txt.sig <tagmanifest-sha256.txt >/dev/null 2>&1 || fault 'bundle_signature: the signature does not hold for the tag manifest'
signer=$(head -c 65 "$work/seal" | tail -c 32 | base64 -w 0)
printf '%s namespaces="affidavit-bundle" ssh-ed25519 %s\n' "$principal" "$(blob "$signer")" | cmp -s - trust/allowed_signers || fault 'signer_not_listed: the signing key is not the one signer that the bundle names'
if [ -n "$trust" ]; then
  signers "$trust/allowed_signers" >"$work/confirmed"
  linked export "$signer" "$work/confirmed" || fault 'signer_not_trusted: the signing key is not among the confirmed ones'
fi
revoked "$signer"
step 1 'Signature of the bundle' ok

# 2
for name in ${required.join(' ')}; do [ -f "$name" ] || fault "missing: $name"; done
for manifest in tagmanifest-sha256.txt manifest-sha256.txt; do
  # sha256sum takes lines of other forms too, and names outside of this folder.
  grep '^[0-9a-f]\{64\}  [^/ ]' "$manifest" 2>/dev/null | tr -d '\r' | grep -v -e '  \.\.*/' -e '/\.\.*/' >"$work/entries"
  cmp -s "$work/entries" "$manifest" || fault "manifest_line: $manifest has a line that is no entry"
  sha256sum --check --strict --quiet "$work/entries" >"$work/out" 2>&1 || sed 's/^/file_changed: /' "$work/out" >>"$faults"
done
find . ! -type d | sed 's#^\./##' | grep -v -x -e tagmanifest-sha256.txt -e tagmanifest-sha256.txt.sig | sort >"$work/found"
awk '
  {
    name = substr($0, 67)
    place = name ~ /^data\// ? "manifest-sha256.txt" : "tagmanifest-sha256.txt"
    if (FILENAME != place || name ~ /^tagmanifest-sha256[.]txt([.]sig)?$/) print "wrong_manifest: " name
  }' manifest-sha256.txt tagmanifest-sha256.txt >>"$faults" 2>/dev/null || fault 'wrong_manifest: the manifests could not be compared'
sed 's/^[0-9a-f]*  //' tagmanifest-sha256.txt manifest-sha256.txt | sort >"$work/listed"
if ! cmp -s "$work/found" "$work/listed"; then
  awk 'NR==FNR {a[$0]=1; next} !($0 in a) {print "extra_file: " $0}' "$work/listed" "$work/found" >>"$faults"
  awk 'NR==FNR {a[$0]=1; next} !($0 in a) {print "missing: " $0}' "$work/found" "$work/listed" >>"$faults"
fi
grep -v -x -E ${layoutPatterns.map((pattern) => `-e '${pattern}'`).join(' ')} "$work/found" | sed 's/^/extra_file: without a place in the layout: /' >>"$faults"
uniq -d "$work/listed" | sed 's/^/manifest_line: listed twice: /' >>"$faults"
step 2 'Both manifests, and no extra files' ok

# 3
head -n 3 proof/checkpoint >"$work/body" 2>/dev/null
note proof/checkpoint 2>/dev/null || fault 'checkpoint_unreadable: not a signed note'
sed 's/^[^+]*+[^+]*+//' trust/log.vkey | raw >"$work/vkey"
named=$(sed 's/+.*//' trust/log.vkey)
verifier "$named" '\001' "$(cat "$work/vkey")" >"$work/named"
echo >>"$work/named"
cmp -s "$work/named" trust/log.vkey || fault 'checkpoint_unreadable: log.vkey is not the key that it names'
{ [ "$named" = "$principal" ] && signed_by "$(cat "$work/vkey")" proof/checkpoint; } || fault 'checkpoint_signature: the checkpoint is not signed by the key of this log'
{
  echo '-----BEGIN PUBLIC KEY-----'
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; base64 -d <"$work/vkey"; } | base64 -w 0
  printf '\n%s\n' '-----END PUBLIC KEY-----'
} | cmp -s - trust/log.pub.pem || fault 'log_keys_differ: log.vkey and log.pub.pem are not the same key'
if [ -n "$trust" ]; then
  vkeys "$trust/log.vkey" >"$work/confirmed"
  linked log "$(cat "$work/vkey")" "$work/confirmed" || fault 'log_not_trusted: the key of the log is not the confirmed one'
fi
revoked "$(cat "$work/vkey")"
if [ -f proof/previous-checkpoint ] || [ -f proof/consistency.txt ]; then
  signed proof/previous-checkpoint && extends proof/previous-checkpoint proof/checkpoint proof/consistency.txt || fault 'checkpoint_inconsistent: the checkpoint does not extend the earlier one that the bundle brings'
fi 2>/dev/null
cosigned=
if [ -f "$work/witnesses" ]; then
  while read -r vkey; do
    name=$(printf '%s' "$vkey" | sed 's/+.*//')
    printf '%s' "$vkey" | sed 's/^[^+]*+[^+]*+//' | base64 -d 2>/dev/null >"$work/witness"
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$work/witness"; } >"$work/witness.der"
    id=$({ printf '%s\n' "$name"; cat "$work/witness"; } | openssl dgst -sha256 -binary | head -c 4 | base64)
    sed '1,5d' proof/checkpoint | grep -F -e "— $name " | sed 's/.* //' | while read -r blob; do
      printf '%s' "$blob" | base64 -d >"$work/blob"
      [ "$(head -c 4 "$work/blob" | base64)" = "$id" ] || continue
      seconds=$((0x$(head -c 12 "$work/blob" | tail -c 8 | od -An -tx1 | tr -d ' \n')))
      tail -c 64 "$work/blob" >"$work/cosig"
      { printf 'cosignature/v1\ntime %s\n' "$seconds"; cat "$work/body"; } >"$work/cosigned"
      if openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/witness.der" -rawin -in "$work/cosigned" -sigfile "$work/cosig" >/dev/null 2>&1; then
        printf ', cosigned by %s at %s' "$name" "$seconds" >>"$work/cosigners"
      else
        fault "cosignature: the cosignature of $name does not hold"
      fi
    done
  done <"$work/witnesses"
  [ ! -f "$work/cosigners" ] || cosigned=$(cat "$work/cosigners")
fi
step 3 'Checkpoint signature' "ok$cosigned"

# 4
stamp() {
  if [ -n "$at" ]; then
    openssl ts -verify -data "$work/stamped" -in proof/checkpoint.tsr -CAfile "$1" -partial_chain -attime "$at" >/dev/null 2>&1
  else
    openssl ts -verify -data "$work/stamped" -in proof/checkpoint.tsr -CAfile "$1" -partial_chain >/dev/null 2>&1
  fi
}
if [ -f proof/checkpoint.tsr ]; then
  stamped=proof/checkpoint
  [ ! -f proof/anchored-checkpoint ] || stamped=proof/anchored-checkpoint
  head -n 5 "$stamped" >"$work/stamped"
  when=$(openssl ts -reply -in proof/checkpoint.tsr -text 2>/dev/null | sed -n 's/^Time stamp: //p')
  # The certificates had to be valid then, not now; without GNU date openssl takes the time of this machine.
  at=$(date -u -d "$when" +%s 2>/dev/null) || at=
  [ -f trust/tsa-ca.pem ] || fault 'missing: trust/tsa-ca.pem'
  stamp trust/tsa-ca.pem || fault 'timestamp_authority: the timestamp does not hold for this checkpoint'
  time=$(date -u -d "$when" '+%Y-%m-%d %H:%M:%S UTC' 2>/dev/null) || time=$when
  if [ -n "$trust" ] && [ -f "$trust/tsa-ca.pem" ]; then
    authority=confirmed
    stamp "$trust/tsa-ca.pem" || fault 'timestamp_not_trusted: the authority does not lead to the confirmed certificate'
  fi
  if [ "$stamped" != proof/checkpoint ]; then
    signed "$stamped" || fault 'timestamp_signature: the timestamped checkpoint is not signed by the key of this log'
    extends proof/checkpoint "$stamped" proof/anchored-consistency.txt 2>/dev/null || fault 'root_mismatch: the timestamped checkpoint does not extend this one'
    when="$when, over a later checkpoint that extends this one"
  fi
  step 4 'Timestamp' "ok ($when)"
elif [ -f proof/anchored-checkpoint ] || [ -f proof/anchored-consistency.txt ]; then
  fault 'stray_anchor: a later checkpoint without a timestamp over it'
  step 4 'Timestamp' none
else
  step 4 'Timestamp' none
fi

${leafSteps}`
