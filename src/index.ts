import { createRequire } from 'node:module'
import type { OpenedCarrel } from './faces/library/opened.ts'
import type { Config } from './model/config.ts'
import { PACKAGE_ROOT } from './primitives/programs.ts'

export type { Carrel, Followed, FollowTarget, Input, OperationName, Output } from './api/index.ts'
export { operations } from './api/index.ts'
export { type Client, type ConnectOptions, connect } from './client/client.ts'
export type { OpenedCarrel, Served, ServeOptions } from './faces/library/opened.ts'
export * from './model/index.ts'

/** runtime/carried-node.cjs, which any Node can read. */
interface CarriedNode {
  isNewEnough(): boolean
  findNode(): string | null
  fetchNode(report: (line: string) => void): Promise<string>
}

/**
 * Opens Carrel on a data folder, which one process may have at a time. What an earlier life left undone goes on.
 *
 * On a Node older than 24 it runs in a process of its own, on a newer Node: that of CARREL_NODE, or one that is fetched
 * once, which stderr then says. That process ends with this one.
 *
 * @throws bad_input for a setting that cannot be
 * @throws unavailable while another process has the folder, or when its database is of a newer Carrel
 * @throws Error where this Node is too old and no other can be had
 */
export async function openCarrel(config: Partial<Config> & { dataFolder: string }): Promise<OpenedCarrel> {
  const carried = createRequire(import.meta.url)(`${PACKAGE_ROOT}/runtime/carried-node.cjs`) as CarriedNode
  if (carried.isNewEnough()) return (await import('./faces/library/here.ts')).openHere(config)
  const node = carried.findNode() ?? (await carried.fetchNode((line) => void process.stderr.write(`${line}\n`)))
  return (await import('./faces/library/beside.ts')).openBeside(config, node)
}
