// SPDX-License-Identifier: Apache-2.0
/** A font as a `data:` address; Vite puts it into the build. */
declare module '*.woff2?inline' {
  const address: string
  export default address
}
