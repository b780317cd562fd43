import { afterAll } from 'vitest'

type Ending = () => void | Promise<void>

/**
 * Stands on the global object: the files of one worker share imported modules, but each file loads its setup files
 * again.
 */
const shared = globalThis as { carrelFileEndings?: Ending[] }

/**
 * Registers a function to call after the current test file. For modules that several files of a worker share: a hook
 * at their top level would belong to the first file only. Endings run in reverse order.
 */
export function onFileFinished(ending: Ending): void {
  shared.carrelFileEndings ??= []
  shared.carrelFileEndings.push(ending)
}

/** Registers the hook that runs the endings, after the file's own hooks. Called by the setup of all tests. */
export function registerFileEnd(): void {
  afterAll(async () => {
    for (const ending of shared.carrelFileEndings?.splice(0).reverse() ?? []) await ending()
  })
}
