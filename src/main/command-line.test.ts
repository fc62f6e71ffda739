// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { commandLineArguments } from './command-line.ts'

describe('commandLineArguments', () => {
  it('takes everything behind the marks of the wrapper, switches too', () => {
    expect(commandLineArguments(['affidavit-desktop', '--no-sandbox', '--command-line', '--', 'verify', '--json', '--', 'x'])).toEqual([
      'verify',
      '--json',
      '--',
      'x'
    ])
    expect(commandLineArguments(['affidavit-desktop', '--command-line', '--'])).toEqual([])
  })
  it.each([
    [[]],
    [['affidavit-desktop']],
    [['affidavit-desktop', '/home/a/b.affidavit.zip']],
    [['--command-line', '--', 'verify']],
    [['affidavit-desktop', '--command-line', 'verify']],
    [['affidavit-desktop', '--', '--command-line', '--', 'verify']]
  ])('is the app for %j', (argv) => expect(commandLineArguments(argv)).toBeNull())
})
