// SPDX-License-Identifier: Apache-2.0
// verify.html as one file: the page of src/verify-page with its script and style inside, and a policy that allows these two and nothing else.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { root } from './project.ts'
import { digestOf } from './sources.ts'

const folder = join(root, 'src', 'verify-page')
const cache = join(root, 'node_modules', '.cache', 'affidavit')

const sourceHash = (text: string): string => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`

async function bundledScript(): Promise<string> {
  const made = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      lib: { entry: join(folder, 'index.ts'), formats: ['iife'], name: 'affidavitVerify' }
    }
  })
  const code = [made]
    .flat()
    .flatMap((one) => ('output' in one ? one.output : []))
    .find((one) => one.type === 'chunk')?.code
  if (code === undefined) throw new Error('the script of verify.html was not built')
  // Inside a page these would end the script or open a comment.
  return code.trim().replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--')
}

async function makePage(): Promise<string> {
  const [script, style] = [await bundledScript(), readFileSync(join(folder, 'page.css'), 'utf8').trim()]
  const policy = [
    "default-src 'none'",
    `script-src ${sourceHash(script)}`,
    `style-src ${sourceHash(style)}`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'"
  ].join('; ')
  const parts: Readonly<Record<string, string>> = { POLICY: policy, STYLE: style, SCRIPT: script }
  return readFileSync(join(folder, 'page.html'), 'utf8').replaceAll(/%(POLICY|STYLE|SCRIPT)%/g, (_, name: string) => parts[name] ?? '')
}

/** The page, built once for the same sources. */
export async function verifyPage(): Promise<string> {
  const path = join(cache, `verify-${digestOf(['src/verify-page', 'src/shared', 'scripts/verify-page.ts', 'package-lock.json'])}.html`)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  const page = await makePage()
  mkdirSync(cache, { recursive: true })
  const temporary = `${path}.${process.pid}.part`
  writeFileSync(temporary, page)
  renameSync(temporary, path)
  return page
}
