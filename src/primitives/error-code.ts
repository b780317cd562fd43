/** Returns the code of a system error, for example `EACCES`, or the empty string when `thrown` has none. */
export function errorCode(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}
