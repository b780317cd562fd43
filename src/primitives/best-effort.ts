/** Waits for work and drops its error, such as a clean-up after another error. Never rejects. */
export async function bestEffort(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined)
}
