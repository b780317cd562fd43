import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PACKAGE_ROOT, useProgramsOf } from '../../src/primitives/programs.ts'

/** The folder dist/node, where the build puts its output. */
export const BUILT = pathToFileURL(`${join(PACKAGE_ROOT, 'dist', 'node')}/`)

/**
 * Makes this process start keepers, agents and threads from the build, which saves most of each start. The engine
 * itself runs from its sources. Called by the setup file of all tests, and by the servers that tests start.
 */
export const startBuiltPrograms = (): void => useProgramsOf(BUILT)

/** Path of a program of `TEST_PROGRAMS` in scripts/programs.mjs. */
export const testProgram = (name: string): string => join(PACKAGE_ROOT, 'dist', 'test', `${name}.js`)
