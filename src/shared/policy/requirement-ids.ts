// SPDX-License-Identifier: Apache-2.0

/** Requirements that the compliance view shows a row for, in its order. */
export const requirementIds = [
  'S1',
  'S3',
  'S4',
  'S6',
  'S7',
  'S8',
  'S9',
  'S11',
  'S13',
  'G2',
  'G3',
  'G4',
  'G5',
  'G6',
  'A1',
  'A3',
  'N1',
  'C1',
  'F1',
  'I1'
] as const

export type RequirementId = (typeof requirementIds)[number]
