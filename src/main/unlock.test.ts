// SPDX-License-Identifier: Apache-2.0
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Unlock } from './unlock.ts'

describe('the passphrase that was typed', () => {
  it('is given to each start until it is refused, and shows in no print of what holds it', () => {
    const unlock = new Unlock()
    expect(unlock.config).toEqual({})
    unlock.give('a long passphrase')
    expect(unlock.config).toEqual({ passphrase: 'a long passphrase' })
    unlock.askAgain()
    expect(unlock.config).toEqual({ passphrase: 'a long passphrase' })
    expect(`${inspect(unlock, { depth: null })}${JSON.stringify(unlock)}`).not.toContain('passphrase')
    unlock.forget()
    expect(unlock.config).toEqual({})
  })

  it('follows a change of the protection while the engine runs', () => {
    const unlock = new Unlock()
    unlock.give('the first passphrase')
    unlock.changed('the second passphrase')
    expect(unlock.config).toEqual({ passphrase: 'the second passphrase' })
    unlock.changed(null)
    expect(unlock.config).toEqual({})
  })

  it('can be done without, until a person starts the engine anew', () => {
    const unlock = new Unlock()
    unlock.give(null)
    expect(unlock.config).toEqual({ withoutKeys: true })
    unlock.askAgain()
    expect(unlock.config).toEqual({})
  })
})
