// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { IconCopy } from '@tabler/icons-react'
import { Fragment, type ReactNode, useState } from 'react'
import type { RecordProof } from '../../../shared/contract/record.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { clock, count, middle } from '../../ui/format.ts'
import { Fingerprint, Hash, Mark, type Meaning, Note } from '../../ui/parts.tsx'

type Check = RecordProof['leaf']['state']

const meaning: Record<Check, Meaning> = { pass: 'holds', fail: 'broken', waiting: 'pending', not_available: 'none' }

interface StepProps {
  readonly is: Check
  readonly title: string
  readonly result: string
  readonly children?: ReactNode
}

const Step = ({ is, title, result, children }: StepProps) => (
  <li className="chain-step">
    <Mark is={meaning[is]} />
    <h3>{title}</h3>
    <span className={`result state-${meaning[is]}`}>{result}</span>
    <div className="body">{children}</div>
  </li>
)

const words = {
  verified: ['holds', 'is in the ledger and unchanged.'],
  waiting: ['plain', 'is unchanged and waits for its checkpoint.'],
  failed: ['broken', 'does not verify.']
} as const

const anchored: Record<Check, string> = { pass: 'holds', fail: 'does not hold', waiting: 'none yet', not_available: 'not checked' }

/** Copied rather than saved: the file is a few lines of text. */
function CopyProof({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <Button
      variant="default"
      size="compact-xs"
      leftSection={<IconCopy size={13} />}
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => setCopied(true))
      }}
    >
      {copied ? 'Copied' : '.tlog-proof'}
    </Button>
  )
}

/** From the text to the anchor in checking order, each step with its result. */
export function Proof({ proof: shown, of = 'record' }: { readonly proof: RecordProof; readonly of?: 'record' | 'correction' | 'leaf' }) {
  const verify = useAction('verify.record', ['compliance.verifications'])
  const proof = verify.data ?? shown
  const [all, setAll] = useState(false)
  const [is, sentence] = words[proof.verdict]
  const passed = proof.parts.filter((part) => part.state === 'pass').length
  const partState: Check =
    proof.parts.some((part) => part.state === 'fail') || proof.ciphertext.state === 'fail'
      ? 'fail'
      : passed === proof.parts.length
        ? 'pass'
        : 'not_available'
  const { checkpoint, path } = proof
  const shownPath =
    all || path.length <= 7
      ? path.map((node, i) => ({ node, i }))
      : path.map((node, i) => ({ node, i })).filter(({ i }) => i < 4 || i >= path.length - 2)
  const rootState = checkpoint?.root_state ?? 'waiting'
  return (
    <>
      <div style={{ marginBottom: 12 }}>
        <Note is={is}>
          <div className="row wrap">
            {/* Buttons go below the sentence before they make it narrow. */}
            <span className="grow" style={{ minWidth: 260 }}>
              <b>
                This {of} {sentence}
              </b>{' '}
              Checked on this machine at {clock(proof.checked_at)} UTC, {path.length === 1 ? '1 hash' : `${count(path.length)} hashes`}.
            </span>
            {proof.tlog_proof !== null && <CopyProof text={proof.tlog_proof} />}
            {of !== 'leaf' && (
              <Button variant="default" size="compact-xs" loading={verify.isPending} onClick={() => verify.mutate({ seq: proof.seq })}>
                {verify.data ? 'Verified, on record' : `Verify this ${of}`}
              </Button>
            )}
          </div>
        </Note>
      </div>
      {verify.isError && <Note is="broken">{sentenceOf(verify.error)}</Note>}
      <ol>
        <Step
          is={partState}
          title="Payload matches its commitment"
          result={proof.parts.length === 0 ? 'no payload' : `${passed} of ${proof.parts.length} parts`}
        >
          <div className="row wrap" style={{ columnGap: 16, rowGap: 0 }}>
            {proof.parts.map((part) => (
              <span key={part.name} className="row" style={{ gap: 6 }}>
                <span className={part.state === 'fail' ? 'state-broken' : undefined}>{part.name}</span>
                <Hash value={part.commit} label={`${part.name} commitment`} head={6} tail={4} />
              </span>
            ))}
          </div>
          {proof.ciphertext.state === 'fail' && (
            <p className="state-broken">The ciphertext on disk is missing or is not the one the leaf names.</p>
          )}
        </Step>
        <Step
          is={proof.leaf.state}
          title={`Leaf ${count(proof.seq)}`}
          result={proof.leaf.state === 'pass' ? 'hashed from disk' : 'not a valid leaf'}
        >
          <Hash value={proof.leaf.hash} label="leaf hash" head={22} tail={12} />
        </Step>
        <Step is={rootState} title="Path to root" result={checkpoint ? `${path.length} of ${path.length} nodes` : 'waits'}>
          {path.length > 0 && (
            <div className="chain-path">
              {shownPath.map(({ node, i }) => (
                <Fragment key={`${node.level}-${node.hash}`}>
                  {i === path.length - 2 && shownPath.length < path.length && (
                    <button type="button" className="link" onClick={() => setAll(true)}>
                      nodes 5 to {path.length - 2}: show
                    </button>
                  )}
                  <div>
                    <span className="dim">{i + 1}</span>
                    <span className="dim">{node.side}</span>
                    <span className="clip">{middle(node.hash, 20, 8)}</span>
                    <Mark is={meaning[rootState]} size={11} />
                  </div>
                </Fragment>
              ))}
            </div>
          )}
        </Step>
        {checkpoint ? (
          <>
            <Step is={checkpoint.root_state} title="Root in checkpoint" result={checkpoint.root_state === 'pass' ? 'equal' : 'differs'}>
              <div>
                size {count(checkpoint.size)}, signed {clock(checkpoint.signed_at)} UTC
              </div>
              <Hash value={checkpoint.root} label="root" head={22} tail={12} />
            </Step>
            <Step
              is={checkpoint.signature_state}
              title="Checkpoint signature, Ed25519"
              result={checkpoint.signature_state === 'pass' ? 'valid' : 'not by this log'}
            >
              <div>
                log key <Fingerprint value={checkpoint.key_fingerprint} />, compare by phone or print
              </div>
              <Hash value={checkpoint.signature} label="signature" head={22} tail={12} />
            </Step>
          </>
        ) : (
          <Step is="waiting" title="Checkpoint" result="within a minute">
            No signed checkpoint covers this leaf yet.
          </Step>
        )}
        <Step is={proof.anchor.state} title="Outside anchor" result={anchored[proof.anchor.state]}>
          {proof.anchor.message}
        </Step>
      </ol>
    </>
  )
}
