// SPDX-License-Identifier: Apache-2.0

/** The mark of the product. */
export const Seal = () => (
  <svg className="seal" viewBox="0 0 22 22" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.6">
    <path d="M11 1.5 19 5v6.2c0 4.6-3.3 7.9-8 9.3-4.7-1.4-8-4.7-8-9.3V5z" />
    <path d="M7.2 13.8 11 7l3.8 6.8M8.5 11.6h5" />
  </svg>
)
