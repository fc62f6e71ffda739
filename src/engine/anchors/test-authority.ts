// SPDX-License-Identifier: Apache-2.0
// A real timestamp authority behind a small HTTP server, for tests: `openssl ts` answers.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const config = (folder: string) => `
[tsa]
default_tsa = one
[one]
dir = ${folder}
serial = ${folder}/serial
crypto_device = builtin
default_policy = 1.2.3.4.1
digests = sha256, sha512
signer_digest = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`

export interface AuthorityFiles {
  readonly ca: string
  /** The certificate of the authority itself. */
  readonly own: string
  /** DER of the answer to a request. */
  answer(request: Uint8Array): Buffer
  remove(): void
}

/** Keys and certificates of an authority, made with openssl. @param days validity of the certificates; negative: ended already */
export function makeAuthority(name = 'Test Authority', usage = 'critical,timeStamping'): AuthorityFiles {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-tsa-'))
  const at = (file: string) => join(folder, file)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '3650', '-subj', `/CN=${name} Root`)
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'tsa.key', '-out', 'tsa.csr', '-subj', `/CN=${name}`)
  writeFileSync(at('ext'), `basicConstraints=CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=${usage}\n`)
  openssl(
    'x509',
    '-req',
    '-in',
    'tsa.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '3650',
    '-extfile',
    'ext',
    '-out',
    'tsa.pem'
  )
  writeFileSync(at('tsa.cnf'), config(folder))
  writeFileSync(at('serial'), '01\n')
  return {
    ca: readFileSync(at('ca.pem'), 'utf8'),
    own: readFileSync(at('tsa.pem'), 'utf8'),
    answer: (request) => {
      writeFileSync(at('query'), request)
      openssl(
        'ts',
        '-reply',
        '-config',
        'tsa.cnf',
        '-section',
        'one',
        '-queryfile',
        'query',
        '-signer',
        'tsa.pem',
        '-inkey',
        'tsa.key',
        '-out',
        'reply'
      )
      return readFileSync(at('reply'))
    },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

export interface TestAuthority {
  readonly url: string
  readonly ca: string
  readonly asked: () => number
  /** Answers in another way from now on; undefined: as an authority does. */
  behave(how: ((request: Buffer, response: ServerResponse) => void) | undefined): void
  close(): Promise<void>
}

/** Serves an authority on a free port of this machine. */
export async function serveAuthority(authority: AuthorityFiles): Promise<TestAuthority> {
  let asked = 0
  let how: ((request: Buffer, response: ServerResponse) => void) | undefined
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    asked++
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const query = Buffer.concat(chunks)
    if (how) return how(query, response)
    return response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(authority.answer(query))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsr`,
    ca: authority.ca,
    asked: () => asked,
    behave: (next) => {
      how = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
