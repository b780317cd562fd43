import type { TestProject } from 'vitest/node'
import { type PostgresServer, type Skipped, startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { readonly url: string } | Skipped
  }
}

/** Several vitest projects use this setup, each with its own copy of this module; they share one server. */
interface Shared {
  carrelTestPostgres?: { users: number; server: Promise<PostgresServer | Skipped> }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = globalThis as Shared
  shared.carrelTestPostgres ??= { users: 0, server: startPostgres() }
  const mine = shared.carrelTestPostgres
  mine.users += 1
  const server = await mine.server
  project.provide('postgres', 'url' in server ? { url: server.url } : server)
  return async () => {
    mine.users -= 1
    if (mine.users > 0) return
    if (shared.carrelTestPostgres === mine) delete shared.carrelTestPostgres
    if ('stop' in server) await server.stop()
  }
}
