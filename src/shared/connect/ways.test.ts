// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { shells, stepsOf, variable, ways } from './ways.ts'

const where = { shell: 'posix', server: 'http://127.0.0.1:5000', passed: 'http://127.0.0.1:5000/proxy/x', token: false } as const

describe('the lines of each way in', () => {
  it('name the address they are given, and none other', () => {
    for (const way of ways)
      for (const shell of shells) {
        const steps = stepsOf(way, { ...where, shell })
        expect(steps.length, way.id).toBeGreaterThan(0)
        const found = steps.flatMap(({ line }) => line.match(/http:\/\/[0-9.:]+/g) ?? [])
        expect(new Set(found), way.id).toEqual(new Set(['http://127.0.0.1:5000']))
      }
  })

  it('are none while there is nothing to pass calls on to', () => {
    for (const way of ways) expect(stepsOf(way, { ...where, passed: null }).length > 0).toBe(way.passing === null)
  })

  it('say TOKEN where one is needed, and nowhere else', () => {
    for (const way of ways) {
      const text = (token: boolean) =>
        stepsOf(way, { ...where, token })
          .map(({ line }) => line)
          .join('\n')
      expect(text(false), way.id).not.toMatch(/TOKEN|x-affidavit-token|[Bb]earer/)
      expect(text(true), way.id).toMatch(way.passing === null ? /[Bb]earer(%20| )TOKEN/ : /x-affidavit-token["']?: ["']?TOKEN/)
      if (way.passing !== null) expect(text(true), way.id).not.toMatch(/bearer/i)
    }
  })

  it('quote a value as each shell reads it', () => {
    expect(variable('posix', 'A', 'b c')).toBe("export A='b c'")
    expect(variable('posix', 'A', 'http://127.0.0.1:5000/proxy/x')).toBe('export A=http://127.0.0.1:5000/proxy/x')
    expect(variable('powershell', 'A', 'b c')).toBe("$env:A = 'b c'")
    expect(variable('cmd', 'A', 'b c')).toBe('set A=b c')
  })

  it('send a record that is JSON once the shell has taken its quotes away', () => {
    const http = ways.find((way) => way.id === 'http')
    if (!http) throw new Error('no way over HTTP')
    const body = (shell: (typeof shells)[number]) => stepsOf(http, { ...where, shell })[0]?.line.split(' -d ')[1] ?? ''
    expect(JSON.parse(body('posix').slice(1, -1))).toMatchObject({ model: 'gpt-4' })
    for (const shell of ['cmd', 'powershell'] as const)
      expect(JSON.parse(body(shell).slice(1, -1).replaceAll('\\"', '"'))).toMatchObject({ model: 'gpt-4' })
  })
})
