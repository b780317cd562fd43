import type { z } from 'zod'
import type { ErrorCode } from '../model/errors.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/**
 * Declaration of an operation. Routes, OpenAPI, the typed client, CLI help and MCP tools derive from it.
 * The input combines path, query and body. In a GET or DELETE every input is text, so schemas coerce.
 */
export interface Operation<In extends z.ZodType = z.ZodType, Out extends z.ZodType = z.ZodType> {
  /** One sentence with a full stop; more sentences may follow. */
  readonly summary: string
  /** Method and path. `:name` is a path parameter and a field of the input. */
  readonly http: readonly [Method, string]
  readonly input: In
  readonly output: Out
  /** Possible errors besides the common ones: bad_input, unauthenticated, internal, unavailable. */
  readonly errors: readonly ErrorCode[]
  /** Offered to agents as an MCP tool. */
  readonly forAgents?: boolean
}

export const operation = <In extends z.ZodType, Out extends z.ZodType>(spec: Operation<In, Out>): Operation<In, Out> =>
  spec
