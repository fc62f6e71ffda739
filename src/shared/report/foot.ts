// SPDX-License-Identifier: Apache-2.0
// What stands at the foot of each printed page: of which log it is, and a digest that a reader recomputes from something he has. Lines end in \n.

export interface SignedHead {
  readonly size: number
  /** Base64. */
  readonly root: string
}

/** Drawn from a workspace: there is no manifest, and the checkpoint says of which state it speaks (`proof/checkpoint` of a bundle of that size). */
export const footOfCheckpoint = (origin: string, checkpoint: SignedHead | null): string =>
  checkpoint === null
    ? `${origin}\nno checkpoint yet`
    : `${origin}\ncheckpoint of ${checkpoint.size.toLocaleString('en-US')} leaves, root ${checkpoint.root}`

/** Drawn from a bundle: `sha256sum tagmanifest-sha256.txt`, which names the digest of the other manifest, and so every file. */
export const footOfBundle = (origin: string, tagManifestSha256: string): string =>
  `${origin}\ntagmanifest-sha256.txt: sha256 ${tagManifestSha256}`

/** Printed beside the same facts for machines: `sha256sum FILE.json`. */
export const footOfJson = (origin: string, what: string, jsonSha256: string): string => `${origin}\n${what}, JSON: sha256 ${jsonSha256}`
