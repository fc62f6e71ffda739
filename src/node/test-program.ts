// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'

/** A program that a test starts, as it was built for this run of the tests (scripts/test-build.ts). */
export function testProgram(name: 'cli' | 'engine' | 'engine-entry'): string {
  const folder = process.env.AFFIDAVIT_TEST_BUILD
  if (folder === undefined) throw new Error('programs are built by vitest: run the tests with it')
  return join(folder, `${name}.js`)
}
