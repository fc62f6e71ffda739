// SPDX-License-Identifier: Apache-2.0
// Before any schema is made: the content policy allows no eval, and zod would try whether it is allowed when the first object schema is made.
import { z } from 'zod'

z.config({ jitless: true })
