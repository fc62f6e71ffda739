// SPDX-License-Identifier: Apache-2.0
// What is in a bundle and how it can be checked.
import { useOperation } from '../../client/hooks.ts'
import { fingerprint } from '../../ui/format.ts'
import { Facts, Hash, Panel } from '../../ui/parts.tsx'

const tree = `bagit.txt  bag-info.txt
manifest-sha256.txt
tagmanifest-sha256.txt
tagmanifest-sha256.txt.sig
README-VERIFY.txt
verify.html  verify.sh  verify.cmd
trust/   log.vkey  log.pub.pem
         allowed_signers
proof/   checkpoint
         consistency.txt
data/    leaves.jsonl
         proofs/ or tile/
         payload/ or payloads/
         records.csv{parquet}
         audit-trail.csv
         alerts.jsonl
         report.html{pdf}
         case.json`

export function BundleFacts({ pdf, parquet }: { readonly pdf: boolean; readonly parquet: boolean }) {
  const keys = useOperation('keys.report', {})
  const exportKey = keys.data?.keys.find((key) => key.use === 'export')?.fingerprint
  const logKey = keys.data?.keys.find((key) => key.use === 'log')?.fingerprint
  return (
    <div className="side-column">
      <Panel title="The bundle">
        <pre className="bundle-tree">
          {tree.replace('{parquet}', parquet ? '  records.parquet' : '').replace('{pdf}', pdf ? '  report.pdf' : '')}
        </pre>
      </Panel>
      <Panel title="How it can be checked">
        <div className="column gap-8" style={{ fontSize: 12.5 }}>
          <p>This app, the command line, verify.html in any browser, or stock tools alone: OpenSSH, OpenSSL, sha256sum.</p>
          <p className="soft">
            Give the recipient the keys’ fingerprints by another channel. The copies inside the bundle prove nothing by themselves.
          </p>
          <Facts
            width={88}
            rows={[
              ['Export key', exportKey ? <Hash key="e" value={exportKey} label="export key fingerprint" head={8} tail={8} /> : '–'],
              ['Log key', logKey ? <Hash key="l" value={logKey} label="log key fingerprint" head={8} tail={8} /> : '–'],
              [
                'By voice',
                logKey && exportKey ? <span key="v" className="mono">{`${fingerprint(exportKey)} · ${fingerprint(logKey)}`}</span> : '–'
              ]
            ]}
          />
        </div>
      </Panel>
    </div>
  )
}
