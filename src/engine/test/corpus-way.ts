// SPDX-License-Identifier: Apache-2.0
import type { CorpusCase } from './corpus-case.ts'
import type { Bag } from './corpus-edit.ts'

/** What somebody with or without keys can do to a bag. */
export interface CorpusKeys {
  readonly relist: (bag: Bag) => void
  readonly reseal: (bag: Bag) => void
  /** Signs the tag manifest as it is. */
  readonly seal: (bag: Bag) => void
  readonly resealByAnother: (bag: Bag) => void
  readonly exportSeed: Uint8Array
  /** Seed of the key that another seals with. */
  readonly another: Uint8Array
  /** The checkpoint changed and signed with the real key of the log. */
  readonly sign: (note: string, change: { readonly size?: number; readonly root?: Uint8Array }) => string
}

/** One way to tamper with a bundle: which bundle, what is done to it, and the step and reason with which every verifier answers. */
export interface Way {
  readonly name: string
  readonly from?: 'stamped' | 'withheld' | 'ranged' | 'sampled' | 'pruned' | 'erased' | 'corrected' | 'correctedRange' | 'large'
  readonly change: (bag: Bag) => void
  readonly step: number | null
  readonly code: string | null
  readonly trusted?: boolean
  /** The confirmed keys that are given are those of the log with this change. */
  readonly confirmed?: (trust: Bag) => void
  readonly verdict?: CorpusCase['verdict']
  readonly shellStep?: number
  readonly shellCode?: string
  readonly shellVerdict?: CorpusCase['shellVerdict']
}

/** Makes ways in which the bundle is sealed again with the real key after the change; the leaves are the step that sees it unless said otherwise. */
export const resealedWay =
  ({ reseal }: CorpusKeys, named: (name: string) => string, from?: Way['from']) =>
  (name: string, change: (bag: Bag) => void, code: string | null, more: Partial<Way> = {}): Way => ({
    name: named(name),
    ...(from === undefined ? {} : { from }),
    change: (bag) => {
      change(bag)
      reseal(bag)
    },
    step: 5,
    code,
    ...more
  })
