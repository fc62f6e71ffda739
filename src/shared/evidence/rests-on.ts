// SPDX-License-Identifier: Apache-2.0
// What a verdict rests on, in the words of every verifier.

export const keysConfirmed =
  'The keys of the log and of the export were confirmed outside the bundle. If that confirmation was wrong, so is this verdict.'
export const keysUnconfirmed =
  'The keys are those that the bundle brings: whoever made it could have made them. Compare both fingerprints with the sender by another way.'
export const othersConfirmed =
  'Other keys were confirmed on this machine for the log that this bundle names, and these are not among them, nor follow from them. A bundle from before a change of keys is rightly signed by others, and so is one that somebody else made: compare both fingerprints with the sender by another way.'
/** Of a timestamp whose authority was confirmed. @param time as it is to be read */
export const stampedBy = (time: string): string =>
  `The timestamp shows that the checkpoint existed at the latest at ${time}; a history signed again later cannot have it.`
/** Of a timestamp whose authority is only what the bundle says. */
export const stampedByAnybody = (time: string): string =>
  `The timestamp says that the checkpoint existed at the latest at ${time}, but its authority was not confirmed outside the bundle: whoever signs a history again can bring another authority. Compare its certificate with one that you have by another way.`
export const witnessed = 'A witness confirmed outside the bundle has seen this checkpoint extend every earlier one it saw.'
export const unanchored =
  'There is no timestamp and no confirmed witness: a history signed again with the real key, or an older checkpoint, cannot be seen from this bundle alone, only against one of these or a head that was seen before.'
export const noCiphertext = 'A bundle has no ciphertext: that the payloads are what the workstation stores is checked there, not here.'
export const whatItSays =
  'It says what was recorded, and when at the latest. It does not say that the answers of the model are true, nor that every call went through the recorder.'

/** Sentences for one verdict. @param stamped ISO 8601 UTC; null without a timestamp that holds */
export function restsOn(of: {
  readonly trusted: boolean
  /** Other keys were confirmed for this log. */
  readonly others: boolean
  readonly stamped: string | null
  readonly authority: boolean
  readonly witnessed: boolean
}): string[] {
  const time = of.stamped === null ? '' : `${of.stamped.slice(0, 19).replace('T', ' ')} UTC`
  const anchors = [
    ...(of.stamped === null ? [] : [of.authority ? stampedBy(time) : stampedByAnybody(time)]),
    ...(of.witnessed ? [witnessed] : [])
  ]
  return [
    of.trusted ? keysConfirmed : of.others ? othersConfirmed : keysUnconfirmed,
    ...(anchors.length > 0 ? anchors : [unanchored]),
    noCiphertext,
    whatItSays
  ]
}
