// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { guessingBits, strengthOf } from './passphrase-strength.ts'

describe('the strength of a passphrase', () => {
  it.each([
    'aaaaaaaaaaaaaaaaaaaa',
    'password password password',
    'Passwort2026!',
    'qwertzuiop 1234567890',
    'secretsecret',
    'compliance 2026',
    'summer of 1999',
    '              '
  ])('is weak: %s', (text) => expect(strengthOf(text)).toBe('weak'))

  it.each(['orchard velvet lamp', 'copper meadow violin'])('is fair: %s', (text) => expect(strengthOf(text)).toBe('fair'))

  it.each(['orchard velvet lamp gravel thimble', 'x7#kQ2v!m9Zr4&tB', 'zephyrine marmalade quarry 4817 lantern'])('is strong: %s', (text) =>
    expect(strengthOf(text)).toBe('strong')
  )

  it('does not grow with what repeats', () => {
    const once = guessingBits('orchard velvet')
    expect(guessingBits('orchard velvet orchard velvet')).toBeLessThan(once + 3)
    expect(guessingBits('')).toBe(0)
  })
})
