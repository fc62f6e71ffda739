// SPDX-License-Identifier: Apache-2.0
// npm run layers: who may import whom, and the few words that belong to one file each.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { stripComments } from './comments.ts'
import { fail, requireDependencies, root } from './project.ts'

interface Cruise {
  readonly modules: readonly { readonly source: string }[]
  readonly summary: {
    readonly totalCruised: number
    readonly violations: readonly {
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string; readonly severity: string }
    }[]
  }
}

/** A word, the files it may stand in, and why. */
interface WordRule {
  readonly word: RegExp
  readonly allowed: RegExp
  readonly reason: string
}

const words: readonly WordRule[] = [
  { word: /\bipcMain\b/, allowed: /^src\/main\/ipc\.ts$/, reason: 'messages of pages are taken in one place' },
  {
    word: /\bprocess\s*\.\s*env\b|\bprocess\s*\[\s*['"`]env/,
    allowed: /^src\/((engine|main|cli)\/config|node\/test-program|engine\/test\/[a-z-]+)\.ts$/,
    reason: 'the environment is read by the config modules'
  },
  { word: /\bdangerouslySetInnerHTML\b|\beval\s*\(|\bnew Function\s*\(/, allowed: /^$/, reason: 'no text becomes markup or code' },
  {
    word: /\bURL\.parse\(|\bRegExp\.escape\b|\bUint8Array\.from(Base64|Hex)\b|\.to(Base64|Hex)\(|\bError\.isError\b|\bTemporal\.|['"]node:sqlite['"]/,
    allowed: /^$/,
    reason: 'newer than the oldest runtime; the build lowers syntax only'
  },
  {
    word: /\bzstd|\bcreateZstd/,
    allowed:
      /^src\/engine\/capture\/(proxy\/(bounded-copy|bounded-copy\.test|recording\.test)|imports\/(parquet-codecs|parquet-writers\.test))\.ts$|^src\/engine\/test\/scripted-upstream\.ts$/,
    reason: 'not in the oldest runtime: asked for in one place'
  },
  { word: /\bshell\s*\.\s*openExternal\s*\(/, allowed: /^src\/main\/navigation\.ts$/, reason: 'one gate to the outside' }
]

const LAYERS = ['shared', 'engine', 'main', 'preload', 'renderer', 'cli', 'node', 'page', 'verify-page', 'docs-page'] as const

requireDependencies()
const asked = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
    'src'
  ],
  { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 }
)
if (!asked.stdout) fail(`dependency-cruiser gave no answer\n${asked.stderr}`)
const cruise: Cruise = JSON.parse(asked.stdout)
const problems: string[] = []

const seen = cruise.modules.map((module) => module.source).filter((source) => source.startsWith('src/'))
if (seen.length <= 20) problems.push(`only ${seen.length} modules were seen: the parser does not work`)
for (const violation of cruise.summary.violations) {
  if (violation.rule.severity === 'error') problems.push(`${violation.rule.name}: ${violation.from} → ${violation.to}`)
}

const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
for (const layer of LAYERS) {
  const exists = sources.some((path) => path.startsWith(join(root, 'src', layer) + sep))
  if (exists && !seen.some((source) => source.startsWith(`src/${layer}/`))) problems.push(`no module of src/${layer} was seen`)
}
for (const path of sources) {
  const name = relative(root, path).split(sep).join('/')
  const code = stripComments(readFileSync(path, 'utf8'))
  for (const rule of words) {
    if (rule.word.test(code) && !rule.allowed.test(name)) problems.push(`${name}: ${rule.word.exec(code)?.[0]} (${rule.reason})`)
  }
}

if (problems.length > 0) fail(problems.join('\n'))
process.stdout.write(`layers hold: ${seen.length} modules, ${sources.length} files searched\n`)
