/** Rows that the server accepts for one page. */
const LIMIT = 500

/** Reads all pages of a list. @param read one page: the server's output for a limit and a cursor */
export async function allPages<P extends { readonly cursor: string | null }>(
  read: (page: { readonly limit: number; readonly cursor?: string }) => Promise<P>,
): Promise<P[]> {
  const pages: P[] = []
  let cursor: string | null = null
  do {
    const page: P = await read({ limit: LIMIT, ...(cursor !== null && { cursor }) })
    pages.push(page)
    cursor = page.cursor
  } while (cursor !== null)
  return pages
}
