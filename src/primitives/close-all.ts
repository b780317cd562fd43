/**
 * Closes what was opened, the last first, and empties the list. A closer that throws keeps none of the others from it.
 * @throws the first error, after all closers
 */
export async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = []
  for (const close of closers.splice(0).reverse()) {
    try {
      await close()
    } catch (thrown) {
      errors.push(thrown)
    }
  }
  if (errors.length > 0) throw errors[0]
}
