import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PACKAGE_ROOT, useProgramsOf } from '../../src/primitives/programs.ts'

/** dist/node: what the build makes of the sources. */
export const BUILT = pathToFileURL(`${join(PACKAGE_ROOT, 'dist', 'node')}/`)

/**
 * Makes keepers, agents and threads of this process start from the build, which saves most of each start. The engine
 * itself runs from its sources. Called by the setup file of all tests, and by the servers that they start.
 */
export const startBuiltPrograms = (): void => useProgramsOf(BUILT)

/** Path of a program of `TEST_PROGRAMS` in scripts/programs.mjs. */
export const testProgram = (name: string): string => join(PACKAGE_ROOT, 'dist', 'test', `${name}.js`)
