import { it, type TestOptions } from 'vitest'

/** Factor by which `npm run test:long` multiplies the tries of a property. */
const LONG = 10

/**
 * Registers the test of a property twice: with `tries` in each run of the tests, and with ten times as many in long
 * ones.
 * @param check runs the property with this number of tries
 */
export function property(
  name: string,
  tries: number,
  check: (numRuns: number) => void | Promise<void>,
  options: TestOptions = {},
): void {
  it(name, options, () => check(tries))
  it(`${name} (${tries * LONG} tries)`, { timeout: 900_000, tags: ['long'] }, () => check(tries * LONG))
}
