import type { z } from 'zod'
import type { ErrorCode } from '../model/errors.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/**
 * A verb, as data. Routes, OpenAPI, the typed client, CLI help and MCP tools are made from it.
 * Input comes from path, query and body together; in a GET or DELETE every input is text, so shapes coerce.
 */
export interface Operation<In extends z.ZodType = z.ZodType, Out extends z.ZodType = z.ZodType> {
  /** One sentence that ends with a full stop; more may follow. */
  readonly summary: string
  /** Path parameters are `:name` and are fields of the input. */
  readonly http: readonly [Method, string]
  readonly input: In
  readonly output: Out
  /** Beyond those that every operation may answer: bad_input, unauthenticated, internal, unavailable. */
  readonly errors: readonly ErrorCode[]
  /** Offered to agents as an MCP tool. */
  readonly forAgents?: boolean
}

export const operation = <In extends z.ZodType, Out extends z.ZodType>(spec: Operation<In, Out>): Operation<In, Out> =>
  spec
