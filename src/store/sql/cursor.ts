import { Buffer } from 'node:buffer'
import { z } from 'zod'
import { CarrelError } from '../../model/errors.ts'
import type { PageRequest, RowPage } from '../store.ts'

const Position = z.tuple([z.string(), z.string(), z.number().int(), z.string()])

export interface PagePosition {
  readonly at: number
  readonly id: string
}

/**
 * Reads the cursor of a list in a workspace; null for the first page.
 * @throws bad_input for an invalid cursor, or of another list or workspace (B1)
 */
export function readCursor(list: string, workspace: string, page: PageRequest): PagePosition | null {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > 500) {
    throw new CarrelError('bad_input', 'A page takes 1 to 500 rows.', { limit: page.limit })
  }
  if (page.cursor === null) return null
  const read = Position.safeParse(decode(page.cursor))
  if (!read.success || read.data[0] !== list || read.data[1] !== workspace) {
    throw new CarrelError('bad_input', 'This cursor does not belong to this list. Begin again without a cursor.')
  }
  return { at: read.data[2], id: read.data[3] }
}

interface PageShape<R, T> {
  readonly list: string
  readonly workspace: string
  readonly limit: number
  readonly row: (row: R) => T
  readonly position: (row: R) => PagePosition
}

/** Makes a page of rows that were read with one more than the limit. */
export function toPage<R, T>(
  rows: readonly R[],
  { list, workspace, limit, row, position }: PageShape<R, T>,
): RowPage<T> {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return { rows: shown.map(row), cursor: last === undefined ? null : encode(list, workspace, position(last)) }
}

function encode(list: string, workspace: string, { at, id }: PagePosition): string {
  return Buffer.from(JSON.stringify([list, workspace, at, id])).toString('base64url')
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}
