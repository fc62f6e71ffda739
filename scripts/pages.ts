// SPDX-License-Identifier: Apache-2.0
// Pages as one file each: the frame they share, the part of a folder with its script and style inside, and a policy that allows these two and
// what the page is for.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { root } from './project.ts'
import { digestOf } from './sources.ts'

const pages = {
  /** Goes into every bundle; verifies it without any network. */
  verify: { title: 'Verify a bundle', folder: 'src/verify-page', policy: ['worker-src blob:'] },
  /** Served by both ports; asks the server it came from and nobody else. */
  docs: { title: 'HTTP interface', folder: 'src/docs-page', policy: ["connect-src 'self'", "require-trusted-types-for 'script'"] }
} as const
export type PageName = keyof typeof pages
export const pageNames = Object.keys(pages) as PageName[]

const cache = join(root, 'node_modules', '.cache', 'affidavit')

const sourceHash = (text: string): string => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`

async function bundled(name: PageName) {
  const made = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      lib: { entry: join(root, pages[name].folder, 'index.ts'), formats: ['iife'], name: `affidavit_${name}` }
    }
  })
  const chunk = [made]
    .flat()
    .flatMap((one) => ('output' in one ? one.output : []))
    .find((one) => one.type === 'chunk')
  if (chunk === undefined) throw new Error(`the script of ${name}.html was not built`)
  return chunk
}

/** Files that the script of a page is made of. */
export const pageModules = async (name: PageName): Promise<readonly string[]> => Object.keys((await bundled(name)).modules)

async function bundledScript(name: PageName): Promise<string> {
  const { code } = await bundled(name)
  // Inside a page these would end the script or open a comment.
  return code.trim().replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--')
}

async function makePage(name: PageName): Promise<string> {
  const folder = join(root, pages[name].folder)
  const [script, style] = [await bundledScript(name), readFileSync(join(folder, 'page.css'), 'utf8').trim()]
  const policy = [
    "default-src 'none'",
    `script-src ${sourceHash(script)}`,
    `style-src ${sourceHash(style)}`,
    ...pages[name].policy,
    "base-uri 'none'",
    "form-action 'none'"
  ].join('; ')
  const main = readFileSync(join(folder, 'page.html'), 'utf8').trim()
  const title = `${pages[name].title} - Affidavit`
  const parts: Readonly<Record<string, string>> = { POLICY: policy, TITLE: title, STYLE: style, MAIN: main, SCRIPT: script }
  const frame = readFileSync(join(root, 'src', 'page', 'frame.html'), 'utf8')
  return frame.replaceAll(/%(POLICY|TITLE|STYLE|MAIN|SCRIPT)%/g, (_, part: string) => parts[part] ?? '')
}

/** A page, built once for the same sources. */
export async function builtPage(name: PageName): Promise<string> {
  const digest = digestOf([pages[name].folder, 'src/page', 'src/shared', 'scripts/pages.ts', 'package-lock.json'])
  const path = join(cache, `${name}-${digest}.html`)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  const page = await makePage(name)
  mkdirSync(cache, { recursive: true })
  const temporary = `${path}.${process.pid}.part`
  writeFileSync(temporary, page)
  renameSync(temporary, path)
  return page
}
