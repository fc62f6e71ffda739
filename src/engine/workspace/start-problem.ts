// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a workspace at its start: stable codes, and words for what was found, what can be trusted and what to do.

/** From what hides most to what hides least: the first one found names the state. */
export const startCodes = [
  'keys_missing',
  'rollback_detected',
  'fork_detected',
  'ledger_damaged',
  'head_missing',
  'head_copy_lost',
  'unacknowledged_leaves',
  'vault_damaged',
  'schema_changed'
] as const
export type StartCode = (typeof startCodes)[number]

export interface Finding {
  readonly code: StartCode
  /** What was found, in a sentence. */
  readonly message: string
}

/** Why a workspace opens read-only. */
export interface StartProblem extends Finding {
  /** Leaves, from the first one, that a signed checkpoint still vouches for; null when none does. */
  readonly trusted_size: number | null
  /** Whether a person may choose to go on from here: the tree as found is whole and can be signed. */
  readonly can_continue: boolean
  readonly findings: readonly Finding[]
}

const number = (n: number): string => n.toLocaleString('en-US')

function trustSentence(trusted: number | null, size: number): string {
  if (trusted === null || trusted === 0)
    return 'No signed checkpoint vouches for what is here: hold it against an outside anchor or a bundle.'
  const rest = size > trusted ? ` The ${number(size - trusted)} after it are not signed.` : ''
  return `The leaves up to ${number(trusted - 1)} can be trusted: a signed checkpoint fits them.${rest}`
}

function toDo(code: StartCode, canContinue: boolean): string {
  if (code === 'keys_missing')
    return 'Unlock the key store, or restore the key file from its backup, and start again. Until then leaves, proofs and verification work; contents cannot be opened, and nothing is written.'
  const keep = 'Restore the folder from a backup, or keep it as it is for an examination: nothing is written to it.'
  return canContinue ? `${keep} Or go on from here with a reason: that is recorded before anything else.` : keep
}

/** The one problem that all findings make; undefined without any. */
export function problemOf(
  findings: readonly Finding[],
  facts: { readonly trusted: number | null; readonly size: number; readonly canContinue: boolean }
): StartProblem | undefined {
  const sorted = [...findings].sort((a, b) => startCodes.indexOf(a.code) - startCodes.indexOf(b.code))
  const [first] = sorted
  if (!first) return undefined
  const canContinue = facts.canContinue && first.code !== 'keys_missing'
  const message = [...sorted.map((one) => one.message), trustSentence(facts.trusted, facts.size), toDo(first.code, canContinue)].join(' ')
  return { code: first.code, message, trusted_size: facts.trusted, can_continue: canContinue, findings: sorted }
}
