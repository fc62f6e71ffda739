// SPDX-License-Identifier: Apache-2.0
// Any leaf by its number, and its proof beside what it says.
import { Modal } from '@mantine/core'
import { useState } from 'react'
import { useOperation } from '../../client/hooks.ts'
import { count } from '../../ui/format.ts'
import { Failed, Loading } from '../../ui/states.tsx'
import { Proof } from './proof.tsx'

/** `leaf 1,284,901`: opens its proof. */
export function LeafLink({ seq }: { readonly seq: number }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" className="link nowrap num" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        leaf {count(seq)}
      </button>
      {open && <LeafProof seq={seq} onClose={() => setOpen(false)} />}
    </>
  )
}

function LeafProof({ seq, onClose }: { readonly seq: number; readonly onClose: () => void }) {
  const proof = useOperation('records.proof', { seq })
  return (
    <Modal opened onClose={onClose} title={`Leaf ${count(seq)} and its proof`} size="lg">
      {proof.isError ? (
        <Failed what="The proof could not be made" error={proof.error} onRetry={() => void proof.refetch()} />
      ) : proof.data ? (
        <>
          <Proof proof={proof.data} of="leaf" />
          <h3 className="panel-title" style={{ margin: '12px 0 6px' }}>
            Leaf, exact bytes
          </h3>
          <pre className="leaf-json">{proof.data.leaf.json}</pre>
        </>
      ) : (
        <Loading what="Reading and re-hashing" />
      )}
    </Modal>
  )
}
