// SPDX-License-Identifier: Apache-2.0

/** Channel on which the preload script sends {@link import('./wire.ts').ToEngine} messages to main. */
export const TO_MAIN = 'affidavit:to-main'
/** Channel on which main sends {@link import('./wire.ts').FromEngine} messages to the preload script. */
export const FROM_MAIN = 'affidavit:from-main'
