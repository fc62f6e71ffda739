// SPDX-License-Identifier: Apache-2.0
// Before any schema is made: the content policy of the page allows no eval.
import { z } from 'zod'

z.config({ jitless: true })
