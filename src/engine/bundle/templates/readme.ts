// SPDX-License-Identifier: Apache-2.0
import type { BundleFacts } from './static-files.ts'

/** README-VERIFY.txt: each step by hand, with stock tools. */
export const readme = (facts: BundleFacts): string => `HOW TO VERIFY THIS BUNDLE
${facts.records} records, ${facts.leaves} leaves of the log ${facts.origin}
as of ${facts.written}

You need OpenSSH 8.2 or newer, OpenSSL 3 and the usual tools of a Unix shell.
On Debian:   apt-get install openssh-client openssl unzip
Nothing in this bundle needs a network.

0. UNPACK into an empty folder and go there.
       mkdir bundle && cd bundle && unzip ../FILE.affidavit.zip

1. ALL STEPS AT ONCE
   In a browser: open verify.html (Chrome or Edge 103, Firefox 113, Safari 16.4
   or newer) and drop the .affidavit.zip on it, with the confirmed files below.
   It asks no network for anything. A page that came with a bundle was made by
   whoever made the bundle: use one that you trust, of an earlier bundle or from
   the sender by another way.
   In a shell:
       sh verify.sh
   or, with keys that you got from the sender by another way in a folder
   (log.vkey and allowed_signers, and tsa-ca.pem of the timestamp authority):
       sh verify.sh /path/to/that/folder
   The last line is the verdict: "valid", "consistent, signer not confirmed"
   or "invalid". Exit status 0, 0, 1; 2 when it could not run.

2. OR BY HAND
   Signature of the bundle:
       ssh-keygen -Y verify -f trust/allowed_signers -I ${facts.origin} \\
         -n affidavit-bundle -s tagmanifest-sha256.txt.sig < tagmanifest-sha256.txt
   Both manifests (and compare the list with the files that are here):
       sha256sum --check --strict tagmanifest-sha256.txt
       sha256sum --check --strict manifest-sha256.txt
   Checkpoint signature: the first three lines of proof/checkpoint are signed;
   the fifth line ends in base64 of 4 bytes of key name and 64 bytes of signature
   (the lines after it are those of witnesses).
       head -n 3 proof/checkpoint > /tmp/body
       sed -n 5p proof/checkpoint | awk '{print $3}' | base64 -d | tail -c 64 > /tmp/sig
       openssl pkeyutl -verify -pubin -inkey trust/log.pub.pem -rawin \\
         -in /tmp/body -sigfile /tmp/sig
   Timestamp, where the bundle has one (RFC 3161; the first five lines of the
   checkpoint are what was timestamped; -attime DATE in seconds when a
   certificate of the authority has ended since):
       head -n 5 proof/checkpoint > /tmp/signed
       openssl ts -verify -data /tmp/signed -in proof/checkpoint.tsr \\
         -CAfile trust/tsa-ca.pem -partial_chain
   If there is a proof/anchored-checkpoint, the timestamp is over that later
   one; verify.sh checks that it extends this one.
   One payload against its commitment (SEQ and PART as in data/payload):
       { cat data/payload/SEQ.PART.opening; printf 'affidavit/v1/PART\\0'; \\
         cat data/payload/SEQ.PART; } | openssl dgst -sha256 -binary | base64
   and compare with "commit" of that part in the line of data/leaves.jsonl.

   After a change of the log or export key, proof/keys.jsonl holds the leaves
   that name each new key with a signature by the key before: verify.sh follows
   them from a key you have to the one in use.

WHAT A VERDICT RESTS ON
The keys in trust/ are the bundle's own copies. They prove nothing by
themselves: compare their fingerprints with the sender by another way.
       ssh-keygen -l -f <(cut -d' ' -f3- trust/allowed_signers)
       openssl pkey -pubin -in trust/log.pub.pem -outform DER | tail -c 32 | sha256sum
A history signed again with the real key can be seen only against a timestamp,
a witness or a head that you remember. The record says what was recorded, not
that the answers of the models are true.
`
