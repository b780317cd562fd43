import { z } from 'zod'
import { WorkspaceId } from '../model/ids.ts'

/** A yes or no that may come from a query string. Absent is no. */
export const Flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', ''])])
  .default(false)
  .transform((value) => value === true || value === 'true' || value === '1')

/** The fields every list takes. `cursor` is what the page before returned. */
export const Paging = {
  cursor: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
}

/** A page of rows under a name, and where the next one begins. */
export const paged = <Key extends string, Row extends z.ZodType>(name: Key, row: Row) =>
  z.object({ [name]: z.array(row), cursor: z.string().nullable() } as { [K in Key]: z.ZodArray<Row> } & {
    cursor: z.ZodNullable<z.ZodString>
  })

/** Something in a workspace, by its id. */
export const inWorkspace = <Id extends z.ZodType>(id: Id) => ({ workspace: WorkspaceId, id })

/** The caller's own key for a request: sent again after a lost answer, it is not done twice (L2). */
export const ClientKey = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('A key of your own: the same key again is the same request.')
