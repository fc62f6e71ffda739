// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { contentPolicy } from './content-policy.ts'
import { isOwnAddress } from './origin.ts'

describe('isOwnAddress', () => {
  it('accepts the page', () => {
    expect(isOwnAddress('app://affidavit/index.html')).toBe(true)
    expect(isOwnAddress('app://affidavit/records')).toBe(true)
  })
  it.each([
    'app://affidavit.example/index.html',
    'app://affidavit@evil/index.html',
    'app://user@affidavit/index.html',
    'app://affidavit:81/index.html',
    'https://affidavit/index.html',
    'data:text/html,app://affidavit/',
    'about:blank',
    'app:affidavit',
    ''
  ])('refuses %s', (address) => {
    expect(isOwnAddress(address)).toBe(false)
  })
})

describe('contentPolicy', () => {
  it('allows no inline script and demands Trusted Types', () => {
    const policy = contentPolicy('AAAA', null)
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("require-trusted-types-for 'script'")
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
  })
  it('lets only the development server in while developing', () => {
    expect(contentPolicy('AAAA', 'http://localhost:5173')).toContain("connect-src 'self' ws://localhost:5173")
  })
})
