import { afterAll } from 'vitest'

type Ending = () => void | Promise<void>

/** On the global object, since the files of one worker share what they import, and setup files are loaded for each. */
const shared = globalThis as { carrelFileEndings?: Ending[] }

/**
 * Does something once the test file is over that runs now. For modules that several files of a worker share: a hook
 * at their top would be the first file's alone. Endings run in the reverse order.
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
