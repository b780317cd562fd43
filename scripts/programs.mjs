/**
 * The sources of what Carrel starts as processes and threads of its own, by the name that `programFile` is called with.
 * The build makes one file of each.
 */
export const PROGRAMS = {
  keeper: 'src/host/keeper/main.ts',
  'scripted-agent': 'scripted-agent/main.ts',
  relay: 'src/host/sandbox/relay.ts',
  gate: 'src/host/browsers/gate.ts',
  'sqlite-writer': 'src/store/sqlite/sqlite-writer.ts',
  'sqlite-searcher': 'src/store/sqlite/sqlite-searcher.ts',
  history: 'src/host/history/worker.ts',
  freezer: 'src/host/places/freezer.ts',
}

/** Programs that tests start, built beside nothing else: they start the programs of dist/node. */
export const TEST_PROGRAMS = {
  serve: 'test/support/serve.ts',
  'keeper-server': 'test/support/keeper-server.ts',
}

/** Likewise, of those that load most of Carrel: they share its parts with the entries. */
export const SHARING_PROGRAMS = {
  library: 'src/faces/library/library.ts',
}

/** Packages that are not bundled: a native one, a program of its own, and the test runner of the store suites. */
export const OUTSIDE = ['@napi-rs/xattr', '@parcel/watcher', 'chrome-devtools-mcp', 'vitest']

/** The sources of what people and programs load. The build gives them shared pieces, so that each loads what it needs. */
export const ENTRIES = {
  main: 'src/main.ts',
  index: 'src/index.ts',
  client: 'src/client/client.ts',
  model: 'src/model/index.ts',
  testing: 'test/contracts/index.ts',
}

/**
 * Modules of model, primitives and zod that every command loads: one part, apart from the rest of the model. The client
 * loads that part too, also in a browser, so none of them imports a module of Node.
 */
export const BASE =
  /node_modules.zod|src.model.(errors|agent|ids|machine|old-names|state-words|who-words|files.(authorship|file-trouble)|settings.(config|sizes))\.ts$|src.primitives.(error-code|message-of|serial)\.ts$/
