// SPDX-License-Identifier: Apache-2.0
import { BAGIT } from '../../../shared/evidence/bundle-layout.ts'
import { readme } from './readme.ts'
import { verifyCmd } from './verify-cmd.ts'
import { verifySh } from './verify-sh.ts'

export interface BundleFacts {
  readonly origin: string
  readonly records: number
  readonly leaves: number
  readonly written: string
}

/** Files of a bundle that hardly depend on its content. */
export const staticFiles = (facts: BundleFacts) => ({ bagit: BAGIT, readme: readme(facts), verifySh, verifyCmd })
