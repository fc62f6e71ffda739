// SPDX-License-Identifier: Apache-2.0
declare module '*.css'
declare module '@fontsource-variable/inter/wght.css'
