// SPDX-License-Identifier: Apache-2.0
import type { BundleFiles } from '../shared/evidence/verify-steps.ts'

/** What the steps after the manifests read again: leaves with their proofs, contents with their openings. */
const readAgain = /^data\/(leaves\.jsonl$|proofs\/|tile\/|payload\/|payloads\/)/

/** The same files, telling how many bytes of all that a verification reads were read: every file once for its hash, some once more. */
export function countedFiles(files: BundleFiles, onProgress: (done: number, total: number) => void): BundleFiles {
  const again = files.names().filter((name) => readAgain.test(name))
  const total = [...files.names(), ...again].reduce((sum, name) => sum + files.size(name), 0)
  const seen = new Set<string>()
  let done = 0
  const add = (bytes: number): void => {
    done += bytes
    onProgress(Math.min(done, total), total)
  }
  /** Whether this is the first such reading of the file: a checkpoint is read for each proof. */
  const isFirst = (how: 'hash' | 'read', name: string): boolean => {
    if (how === 'read' && !readAgain.test(name)) return false
    const key = `${how} ${name}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  }
  return {
    names: () => files.names(),
    size: (name) => files.size(name),
    async read(name) {
      const bytes = await files.read(name)
      if (isFirst('read', name)) add(bytes.length)
      return bytes
    },
    async hash(name) {
      const hash = await files.hash(name)
      if (isFirst('hash', name)) add(files.size(name))
      return hash
    },
    async *lines(name) {
      const first = isFirst('read', name)
      for await (const line of files.lines(name)) {
        if (first) add(line.length + 1)
        yield line
      }
    }
  }
}
