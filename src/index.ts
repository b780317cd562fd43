import { realpathSync } from 'node:fs'
import type { Carrel } from './api/index.ts'
import { openEngine } from './engine/open.ts'
import { VERSION } from './faces/cli/installation.ts'
import { type HttpServer, serveHttp } from './faces/http.ts'
import type { Config } from './model/config.ts'

export type { Carrel, Followed, FollowTarget, Input, OperationName, Output } from './api/index.ts'
export { operations } from './api/index.ts'
export { type Client, type ConnectOptions, connect } from './client/client.ts'
export type { HttpServer } from './faces/http.ts'
export * from './model/index.ts'

/** Carrel in this process: the operations, the logs, and a server where one is wanted. */
export interface OpenedCarrel extends Carrel {
  /** Where its data is, as a real path. */
  readonly dataFolder: string
  /** Proves to be the owner over HTTP. A secret. */
  readonly token: string
  /** Serves page and API as well; host and port as configured unless said here. May be called more than once. */
  serve(options?: { readonly host?: string; readonly port?: number; readonly web?: boolean }): Promise<HttpServer>
  /** Stops servers, then runs; what waits for a person is kept. Safe to repeat. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens Carrel on a data folder, which one process may have at a time. What an earlier life left undone goes on.
 *
 * @throws bad_input for a setting that cannot be
 * @throws unavailable while another process has the folder, or when its database is of a newer Carrel
 */
export async function openCarrel(config: Partial<Config> & { dataFolder: string }): Promise<OpenedCarrel> {
  // A program that ends takes its agents along, unless it says otherwise; those that a server left to whoever comes go on.
  const engine = await openEngine({ outliveMs: 0, ...config }, { version: VERSION, takesUp: true })
  const { call, follow } = engine.carrelFor({ name: 'library', kind: 'program', face: 'library', workspaces: null })
  const servers: HttpServer[] = []
  const close = async (): Promise<void> => {
    for (const server of servers.splice(0)) await server.close()
    await engine.close()
  }
  return {
    call,
    follow,
    dataFolder: realpathSync(engine.config.dataFolder),
    token: engine.token,
    serve: async ({ host = engine.config.host, port = engine.config.port, web = true } = {}) => {
      const server = await serveHttp(engine, { host, port, version: VERSION, ...(web ? {} : { webFolder: null }) })
      servers.push(server)
      return server
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
