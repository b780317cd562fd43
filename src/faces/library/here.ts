import { realpathSync } from 'node:fs'
import { openEngine } from '../../engine/open.ts'
import type { Config } from '../../model/settings/config.ts'
import { VERSION } from '../cli/installation.ts'
import { type HttpServer, serveHttp } from '../http/http.ts'
import type { OpenedCarrel } from './opened.ts'

/** Opens Carrel in this process. @see openCarrel in src/index.ts */
export async function openHere(config: Partial<Config> & { dataFolder: string }): Promise<OpenedCarrel> {
  // By default the agents end with the program. Agents left running by an earlier server continue here.
  const engine = await openEngine({ outliveMs: 0, ...config }, { version: VERSION, rejoinsAgents: true })
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
