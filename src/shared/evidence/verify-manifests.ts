// SPDX-License-Identifier: Apache-2.0
import { isLayoutName, MANIFEST, MOST_ENTRIES, required, SIGNATURE, TAG_MANIFEST } from './bundle-layout.ts'
import { type Context, textOf } from './verify-context.ts'
import { type Step, StepReport, type VerifyProgress } from './verify-steps.ts'

function manifestEntries(content: string, report: StepReport, name: string): Map<string, string> {
  const entries = new Map<string, string>()
  const lines = content.split('\n')
  if (lines.pop() !== '') report.fault('manifest_line', 'a last line without an end', name)
  for (const line of lines) {
    const match = /^([0-9a-f]{64}) {2}(\S.*)$/.exec(line)
    const [, hash = '', file = ''] = match ?? []
    if (!match || entries.has(file)) {
      report.fault('manifest_line', 'a line that is no entry, or a name listed twice', name)
      continue
    }
    if (file.startsWith('data/') !== (name === MANIFEST) || file === TAG_MANIFEST || file === SIGNATURE)
      report.fault('wrong_manifest', 'listed in the wrong manifest', file)
    entries.set(file, hash)
  }
  return entries
}

/** What stands for the hash of a file that cannot be read. */
const UNREADABLE = 'unreadable'
const UNREADABLE_MESSAGE = 'it cannot be read, or the archive says something else of it than it holds'

/** Step 2: every file is listed once with its hash, nothing is missing, nothing is extra. */
export async function checkManifests({ files }: Context, control: VerifyProgress): Promise<Step> {
  const report = new StepReport(2)
  const names = files.names()
  if (names.length > MOST_ENTRIES) report.fault('too_many_files', `more than ${MOST_ENTRIES} files`)
  const [payload, tags] = [await textOf(files, MANIFEST), await textOf(files, TAG_MANIFEST)]
  if (payload === undefined || tags === undefined) {
    report.fault('missing', 'a manifest is missing', payload === undefined ? MANIFEST : TAG_MANIFEST)
    return report.done('no manifest')
  }
  // A name that stands in both is a fault already.
  const listed = new Map([...manifestEntries(tags, report, TAG_MANIFEST), ...manifestEntries(payload, report, MANIFEST)])
  const expected = names.filter((name) => name !== TAG_MANIFEST && name !== SIGNATURE)
  for (const name of required) if (!names.includes(name)) report.fault('missing', 'a file of the layout is missing', name)
  for (const name of listed.keys()) if (!names.includes(name)) report.fault('missing', 'listed, but not in the bundle', name)
  let extra = 0
  let changed = 0
  let done = 0
  const total = expected.reduce((sum, name) => sum + files.size(name), 0)
  for (const name of expected) {
    if (control.cancelled?.()) break
    const hash = listed.get(name)
    if (hash === undefined || !isLayoutName(name)) {
      extra++
      report.fault('extra_file', 'not listed in the manifests or without a place in the layout', name)
      continue
    }
    const found = await files.hash(name)
    if (found !== hash) {
      changed++
      report.fault('file_changed', found === UNREADABLE ? UNREADABLE_MESSAGE : 'the content is not what was signed', name)
    }
    done += files.size(name)
    control.progress?.(done, total)
  }
  return report.done(`${listed.size} files listed, ${expected.length} found, ${extra} extra, ${changed} changed`)
}
