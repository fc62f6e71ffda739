// SPDX-License-Identifier: Apache-2.0

/** How a count of records says that some of them are wrappers; empty for none. */
export const spansAmong = (wrappers: number): string =>
  wrappers === 0 ? '' : `, ${wrappers.toLocaleString('en-US')} of them ${wrappers === 1 ? 'a span' : 'spans'} around calls`
