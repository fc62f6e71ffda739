// SPDX-License-Identifier: Apache-2.0
// What is in a bundle and how it can be checked.
import { Button } from '@mantine/core'
import { IconPrinter } from '@tabler/icons-react'
import { call } from '../../client/bridge.ts'
import { useOperation } from '../../client/hooks.ts'
import { usePrint } from '../../client/print.ts'
import { Facts, Fingerprint, Note, Panel } from '../../ui/parts.tsx'

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
  const inUse = (use: 'log' | 'export') => keys.data?.keys.find((key) => key.use === use && key.state === 'in_use')
  const exportKey = inUse('export')?.fingerprint
  const printing = usePrint()
  const logKey = inUse('log')?.fingerprint
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
            width={72}
            rows={[
              ['Export key', exportKey ? <Fingerprint key="e" value={exportKey} /> : '–'],
              ['Log key', logKey ? <Fingerprint key="l" value={logKey} /> : '–']
            ]}
          />
          <div className="row">
            <Button
              variant="default"
              size="compact-sm"
              leftSection={<IconPrinter size={14} />}
              loading={printing.busy}
              onClick={() => printing.print(() => call('keys.page', {}))}
            >
              Print fingerprints…
            </Button>
          </div>
          {printing.saved !== null && <p className="dim small anywhere">Saved to {printing.saved}</p>}
          {printing.error !== null && <Note is="broken">{printing.error}</Note>}
        </div>
      </Panel>
    </div>
  )
}
