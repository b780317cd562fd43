import { Buffer } from 'node:buffer'
import { z } from 'zod'
import { CarrelError } from '../../model/errors.ts'
import type { Page, PageRequest } from '../store.ts'

const Position = z.tuple([z.string(), z.string(), z.number().int(), z.string()])

/** Where a page begins: behind the row with this time and id. */
export interface Place {
  readonly at: number
  readonly id: string
}

/**
 * Reads a cursor of this list and workspace; null is the beginning.
 * @throws bad_input when it is none, or that of another list or workspace (B1)
 */
export function readCursor(list: string, workspace: string, page: PageRequest): Place | null {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > 500) {
    throw new CarrelError('bad_input', 'A page takes 1 to 500 rows.', { limit: page.limit })
  }
  if (page.cursor === null) return null
  const read = Position.safeParse(decode(page.cursor))
  if (!read.success || read.data[0] !== list || read.data[1] !== workspace) {
    throw new CarrelError('bad_input', 'This cursor belongs to no page of this list. Begin again without one.')
  }
  return { at: read.data[2], id: read.data[3] }
}

/** Makes a page of rows that were read with one more than the limit. */
export function toPage<R, T>(
  list: string,
  workspace: string,
  rows: readonly R[],
  limit: number,
  shape: { row: (row: R) => T; place: (row: R) => Place },
): Page<T> {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return { rows: shown.map(shape.row), cursor: last === undefined ? null : encode(list, workspace, shape.place(last)) }
}

function encode(list: string, workspace: string, { at, id }: Place): string {
  return Buffer.from(JSON.stringify([list, workspace, at, id])).toString('base64url')
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}
