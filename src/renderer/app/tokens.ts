// SPDX-License-Identifier: Apache-2.0
/** Colours by meaning; the contrast of each pair is in the design notes. Dark is drawn, not inverted. */
export interface Tokens {
  readonly bg: string
  readonly panel: string
  readonly sunken: string
  readonly hover: string
  readonly line: string
  readonly line2: string
  readonly ctl: string
  readonly ink: string
  readonly ink2: string
  readonly ink3: string
  readonly accent: string
  readonly accentFill: string
  readonly accentWeak: string
  readonly onAccent: string
  readonly holds: string
  readonly holdsWeak: string
  readonly attention: string
  readonly attentionWeak: string
  readonly broken: string
  readonly brokenWeak: string
  readonly chartCurrent: string
  readonly chartTint: string
  readonly chartReference: string
  readonly chartGrid: string
}

export const light: Tokens = {
  bg: '#F3F3F0',
  panel: '#FFFFFF',
  sunken: '#FAFAF8',
  hover: '#F1F3F6',
  line: '#E3E3DE',
  line2: '#CDCDC6',
  ctl: '#85867F',
  ink: '#191B1D',
  ink2: '#45494D',
  ink3: '#62666A',
  accent: '#1D4F91',
  accentFill: '#1D4F91',
  accentWeak: '#E6EDF7',
  onAccent: '#FFFFFF',
  holds: '#12664A',
  holdsWeak: '#E6F2EC',
  attention: '#825000',
  attentionWeak: '#FBF1DE',
  broken: '#AE231B',
  brokenWeak: '#FBEAE8',
  chartCurrent: '#1D4F91',
  chartTint: '#5F8AC4',
  chartReference: '#8C8F92',
  chartGrid: '#ECECE8'
}

export const dark: Tokens = {
  bg: '#0F1113',
  panel: '#17191C',
  sunken: '#131517',
  hover: '#1E2226',
  line: '#292D31',
  line2: '#3A4046',
  ctl: '#737B83',
  ink: '#E7E9EB',
  ink2: '#B9BEC3',
  ink3: '#939AA1',
  accent: '#8FB6EE',
  accentFill: '#2E63AE',
  accentWeak: '#1A2838',
  onAccent: '#FFFFFF',
  holds: '#63C79B',
  holdsWeak: '#12261D',
  attention: '#E2AE55',
  attentionWeak: '#2A2111',
  broken: '#F49088',
  brokenWeak: '#331816',
  chartCurrent: '#8FB6EE',
  chartTint: '#5C83BC',
  chartReference: '#8B9299',
  chartGrid: '#23272B'
}
