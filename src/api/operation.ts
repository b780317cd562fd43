import { z } from 'zod'
import type { ErrorCode } from '../model/errors.ts'
import { WorkspaceId } from '../model/ids.ts'

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
  /** Possible errors besides the common ones: bad_input, unauthenticated, internal, unavailable, and paused for writes. */
  readonly errors: readonly ErrorCode[]
  /**
   * `machine`: only the machine of the Space can answer; any other node answers `unavailable` and names it. Without it,
   * the answer comes from the database and is the same through any node.
   */
  readonly at?: 'machine'
  /** Offered to agents as an MCP tool. */
  readonly forAgents?: boolean
}

export const operation = <In extends z.ZodType, Out extends z.ZodType>(spec: Operation<In, Out>): Operation<In, Out> =>
  spec

/** Boolean that may come from a query string. Default: false. */
export const Flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', ''])])
  .default(false)
  .transform((value) => value === true || value === 'true' || value === '1')

/** Whether an operation with a preview acts. */
export const Confirm = Flag.describe('Act. Without it, the answer is a preview and nothing changes.')

/** Fields of every list. `cursor`: value returned with the previous page. */
export const Paging = {
  cursor: z.string().max(512).optional().describe('`cursor` of the page before; omit it for the first page.'),
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('Maximum number of rows in a page.'),
}

/** Returns the schema of a page: rows under a name, and the cursor of the next page. */
export const paged = <Key extends string, Row extends z.ZodType>(name: Key, row: Row) =>
  z.object({ [name]: z.array(row), cursor: z.string().nullable() } as { [K in Key]: z.ZodArray<Row> } & {
    cursor: z.ZodNullable<z.ZodString>
  })

export const inWorkspace = <Id extends z.ZodType>(id: Id) => ({ workspace: WorkspaceId, id })

/** Idempotency key: a request sent again after a lost answer is executed once (L2). */
export const ClientKey = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('Idempotency key of your choice: repeating a request with the same key has no further effect.')
