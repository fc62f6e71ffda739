// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename } from 'node:path'

/** A process that listens on a port, as far as the system tells. */
export interface PortHolder {
  readonly pid: number
  readonly name: string
}

/** Inode numbers of the sockets that listen on a port, out of the text of /proc/net/tcp or tcp6 (proc(5): column 2 address, 4 state, 10 inode). */
export function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes: string[] = []
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/)
    const inode = columns[9]
    if (columns[3] === '0A' && columns[1]?.split(':').at(-1) === wanted && inode !== undefined && inode !== '0') inodes.push(inode)
  }
  return inodes
}

/** The process that holds a port. Linux only and only where /proc may be read; null otherwise. */
export function findPortHolder(port: number): PortHolder | null {
  if (process.platform !== 'linux') return null
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(textOf(file), port)))
  if (inodes.size === 0) return null
  for (const entry of namesOf('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    for (const fd of namesOf(`/proc/${entry}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${entry}/fd/${fd}`))?.[1]
      if (inode !== undefined && inodes.has(inode)) return { pid: Number(entry), name: processName(entry) }
    }
  }
  return null
}

/** One sentence on who holds a taken port and one on the way out; shown to a person. */
export function portTakenMessage(options: {
  readonly port: number
  readonly platform: NodeJS.Platform
  readonly holder: PortHolder | null
  readonly suggested: number | null
  readonly variable: string
}): string {
  const { port, platform, holder, suggested, variable } = options
  const who =
    holder?.pid === process.pid
      ? `Port ${port} is this program’s own other port.`
      : holder !== null
        ? `Port ${port} is in use by ${holder.name} (process ${holder.pid}).`
        : platform === 'darwin' && (port === 5000 || port === 7000)
          ? `Port ${port} is in use, most likely by the AirPlay receiver of macOS.`
          : port === 5000
            ? `Port ${port} is in use, most likely by MLflow, whose default it is.`
            : `Port ${port} is in use by another program.`
  const out =
    holder?.pid === process.pid
      ? 'Give the two servers different ports'
      : holder === null && platform === 'darwin' && (port === 5000 || port === 7000)
        ? 'Turn off AirPlay Receiver in System Settings, General, AirDrop & Handoff'
        : 'End that program'
  const other = suggested === null ? `set ${variable} to a free port` : `set ${variable} to a free port such as ${suggested}`
  return `${who} ${out}, or ${other}; clients find the address in endpoint.json.`
}

const TRIES = 50

/** The next port after a taken one that is free on every given address; null when 50 in a row are taken. */
export async function nextFreePort(after: number, hosts: readonly string[], except: readonly number[]): Promise<number | null> {
  for (let port = after + 1; port <= Math.min(after + TRIES, 65_535); port++) {
    if (except.includes(port)) continue
    let free = true
    for (const host of hosts) free = free && (await isFree(port, host))
    if (free) return port
  }
  return null
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'))
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

/** Node.js calls itself by its thread. */
const THREAD_NAMES: ReadonlySet<string> = new Set(['MainThread', 'node'])

/** The program, with its script where a script engine runs it; printable characters only, since any program may call itself anything. */
function processName(pid: string): string {
  const [program = '', script = ''] = textOf(`/proc/${pid}/cmdline`).split('\0')
  const own = textOf(`/proc/${pid}/comm`).trim()
  const runs = script === '' || script.startsWith('-') ? '' : ` ${basename(script)}`
  const name = own === '' || THREAD_NAMES.has(own) ? `${basename(program)}${runs}` : own
  return name.replace(/[^\x20-\x7e]/g, '').slice(0, 32) || 'an unnamed program'
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function namesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
