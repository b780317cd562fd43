import type { PageRequest, RowPage } from '../store/store.ts'

const LIMIT = 500

/** Yields all rows of a list. Reads a page only after the reader has taken the one before. */
export async function* allRows<T>(read: (page: PageRequest) => Promise<RowPage<T>>): AsyncGenerator<T> {
  let cursor: string | null = null
  do {
    const page: RowPage<T> = await read({ cursor, limit: LIMIT })
    yield* page.rows
    cursor = page.cursor
  } while (cursor !== null)
}
