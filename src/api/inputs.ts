import { z } from 'zod'
import { WorkspaceId } from '../model/ids.ts'

/** Boolean that may come from a query string. Default: false. */
export const Flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', ''])])
  .default(false)
  .transform((value) => value === true || value === 'true' || value === '1')

/** Fields of every list. `cursor`: value returned with the previous page. */
export const Paging = {
  cursor: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
}

/** Returns the schema of a page: rows under a name, and the cursor of the next page. */
export const paged = <Key extends string, Row extends z.ZodType>(name: Key, row: Row) =>
  z.object({ [name]: z.array(row), cursor: z.string().nullable() } as { [K in Key]: z.ZodArray<Row> } & {
    cursor: z.ZodNullable<z.ZodString>
  })

/** Returns the input fields for a thing in a workspace, by id. */
export const inWorkspace = <Id extends z.ZodType>(id: Id) => ({ workspace: WorkspaceId, id })

/** Idempotency key: a request sent again after a lost answer is executed once (L2). */
export const ClientKey = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('Idempotency key of your choice: repeating a request with the same key has no further effect.')
