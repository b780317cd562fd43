import { fileURLToPath } from 'node:url'

/*
 * Carrel starts some of its own files as processes and threads. In a checkout these are the sources; the build makes one
 * JavaScript file of each and puts them all into one folder, beside the code that starts them.
 */

/** The folder that has package.json, without a separator at its end. Sources and built files lie equally deep in it. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')

const RUNS_FROM_SOURCES = import.meta.url.endsWith('.ts')
let folder: URL | null = RUNS_FROM_SOURCES ? null : new URL('.', import.meta.url)

/**
 * Returns the file to start for a program or thread. Sources start `source`; built code starts the built file `name`.
 * @param name the name in `PROGRAMS` of scripts/programs.mjs
 * @param source must be written as `new URL('./file.ts', import.meta.url)`, which the tests compare with that table
 */
export const programFile = (name: string, source: URL): URL =>
  folder === null ? source : new URL(`${name}.js`, folder)

/**
 * Makes `programFile` return the built files of `built`, or those of the code itself again for null. Tests run the
 * engine from its sources and start built programs with it, which saves most of each start.
 * @param built URL of a folder, with a slash at its end
 */
export function useProgramsOf(built: URL | null): void {
  folder = built ?? (RUNS_FROM_SOURCES ? null : new URL('.', import.meta.url))
}
