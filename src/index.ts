import { createRequire } from 'node:module'
import type { OpenedCarrel } from './faces/library/opened.ts'
import type { Config } from './model/settings/config.ts'
import { PACKAGE_ROOT } from './primitives/programs.ts'

export type { Carrel, Followed, FollowTarget, Input, OperationName, Output } from './api/index.ts'
export { operations } from './api/index.ts'
export { type Client, type ConnectOptions, connect } from './client/client.ts'
export type { OpenedCarrel, Served, ServeOptions } from './faces/library/opened.ts'
export * from './model/index.ts'

/** Exports of runtime/carried-node.cjs, which runs on any Node. */
interface CarriedNode {
  isNewEnough(): boolean
  findNode(): string | null
  fetchNode(report: (line: string) => void): Promise<string>
}

/**
 * Opens Carrel on a data folder, which one process may use at a time. Unfinished work of an earlier process continues.
 *
 * On a Node older than 24, Carrel runs in its own process on a newer Node: that of CARREL_NODE, or one that Carrel
 * downloads once, with a message on stderr. That process ends with this one.
 * @throws bad_input for an invalid setting
 * @throws unavailable while another process uses the folder, or when a newer Carrel wrote the database
 * @throws Error when this Node is too old and no other is available
 */
export async function openCarrel(config: Partial<Config> & { dataFolder: string }): Promise<OpenedCarrel> {
  const carried = createRequire(import.meta.url)(`${PACKAGE_ROOT}/runtime/carried-node.cjs`) as CarriedNode
  if (carried.isNewEnough()) return (await import('./faces/library/here.ts')).openHere(config)
  const node = carried.findNode() ?? (await carried.fetchNode((line) => void process.stderr.write(`${line}\n`)))
  return (await import('./faces/library/beside.ts')).openBeside(config, node)
}
