// SPDX-License-Identifier: Apache-2.0
// The lines of each way in as their shells and languages read them: syntax only, nothing is carried out. With awkward tokens and addresses.
import { spawnSync } from 'node:child_process'
import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { type Step, shells, stepsOf, ways } from '../../shared/connect/ways.ts'

const found = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const [python, bash] = [found('python3'), found('bash')]
for (const [name, there] of Object.entries({ python3: python, bash }))
  if (!there) console.warn(`NOT RUN: there is no ${name} here, so the lines for it are not parsed`)

const servers = ['http://127.0.0.1:1', 'http://[::1]:65535', 'https://log-7.example.org:5000', 'http://192.168.0.10:5000']
const tokens = ['aff_-_-_AZaz09-_-_AZaz09-_-_AZaz09-_-_AZaz09-_-', '-----------------------a', 'eyJhbGciOi.JIUzI1NiJ9/x+y==~', null]
const all = servers.flatMap((server) =>
  tokens.flatMap((token) =>
    shells.flatMap((shell) =>
      ways.flatMap((way) =>
        stepsOf(way, { shell, server, passed: `${server}/proxy/a-${'9'.repeat(30)}`, token: token !== null }).map((step: Step) => ({
          way: way.id,
          shell,
          line: token === null ? step.line : step.line.replaceAll('TOKEN', token)
        }))
      )
    )
  )
)
const isJs = (line: string): boolean => line.startsWith('new ')
/** An argument of a Python call, shown without the call around it. */
const isPython = (line: string): boolean => /^[A-Z]\w+\(/.test(line)
const isShell = (line: string): boolean => !isJs(line) && !isPython(line)
const unique = (lines: readonly string[]): readonly string[] => [...new Set(lines)]
const posix = unique(all.filter(({ shell, line }) => shell === 'posix' && isShell(line)).map(({ line }) => line))

/** The arguments that a program gets from each line, as bash reads it; nothing of the line is run. */
function argumentsOf(program: string, lines: readonly string[]): readonly (readonly string[])[] {
  const told = lines.map((line) => `${line}; printf '\\1'`).join('\n')
  const { stdout, status, stderr } = spawnSync('bash', ['--norc', '-c', `${program}() { printf '%s\\0' "$@"; }\n${told}`], {
    encoding: 'utf8'
  })
  expect([status, stderr]).toEqual([0, ''])
  return stdout
    .split('\u0001')
    .slice(0, -1)
    .map((one) => one.split('\u0000').slice(0, -1))
}

/** The first of these texts that Python cannot compile, with its reason; nothing is run. */
function pythonFault(codes: readonly string[]): string {
  const check = `import json, sys
for code in json.load(sys.stdin):
    try:
        compile(code, "line", "exec")
    except (SyntaxError, ValueError) as error:
        sys.exit(f"{error}: {code}")`
  return spawnSync('python3', ['-c', check], { input: JSON.stringify(codes), encoding: 'utf8' }).stderr
}

describe('the lines of each way in parse', () => {
  it.skipIf(!bash)('in bash (needs bash)', () => {
    expect(posix.length).toBeGreaterThan(50)
    for (const line of posix) expect([spawnSync('bash', ['-n', '-c', line]).status, line]).toEqual([0, line])
    expect(spawnSync('bash', ['-n', '-c', "export A='b"]).status).not.toBe(0)
  })

  it.skipIf(!python || !bash)('in Python, as bash hands them over (needs python3 and bash)', () => {
    const lines = posix.filter((line) => line.startsWith('python '))
    const handed = argumentsOf('python', lines)
    expect(handed.map(([option, , ...more]) => [option, more])).toEqual(lines.map(() => ['-c', []]))
    const shown = unique(all.filter(({ line }) => isPython(line)).map(({ line }) => line))
    expect([lines.length > 20, shown.length > 5]).toEqual([true, true])
    expect(pythonFault([...handed.map(([, code]) => code ?? ''), ...shown])).toBe('')
    expect(pythonFault(['print("'])).toMatch(/unterminated|EOL/)
  })

  it.skipIf(!python)('in Python, as PowerShell and cmd hand them over (needs python3)', () => {
    const lines = unique(all.filter(({ shell, line }) => shell !== 'posix' && line.startsWith('python ')).map(({ line }) => line))
    const codes = lines.map((line) => /^python -c "([^"]*)"$/.exec(line)?.[1])
    expect(codes).not.toContain(undefined)
    // What the two would put something else in place of.
    for (const code of codes) expect(code).not.toMatch(/[$`%^&|<>]/)
    expect(pythonFault(codes.map((code) => code ?? ''))).toBe('')
  })

  it('in JavaScript', () => {
    const lines = unique(all.filter(({ line }) => isJs(line)).map(({ line }) => line))
    expect(lines.length).toBeGreaterThan(5)
    for (const line of lines) expect(() => new Script(line), line).not.toThrow()
    expect(() => new Script('new Ollama({')).toThrow(SyntaxError)
  })

  it.skipIf(!bash)('as JSON where they send some, with headers and an address that are whole (needs bash)', () => {
    const lines = posix.filter((line) => line.startsWith('curl '))
    for (const args of argumentsOf('curl', lines)) {
      const data = args[args.indexOf('-d') + 1]
      if (args.includes('-d')) expect(JSON.parse(data ?? '')).toMatchObject({ model: 'gpt-4' })
      expect(servers.some((server) => args.some((one) => one.startsWith(`${server}/`) && URL.canParse(one)))).toBe(true)
      for (const [i, option] of args.entries()) if (option === '-H') expect(args[i + 1]).toMatch(/^[a-z-]+: [\x21-\x7e]+( [\x21-\x7e]+)?$/)
    }
  })
})
