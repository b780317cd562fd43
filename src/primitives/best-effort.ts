/**
 * Waits for work whose failure changes nothing, such as the removal of a temporary file after another error: the error
 * is dropped. Never rejects.
 */
export async function bestEffort(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined)
}
