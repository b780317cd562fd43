import { onTestFinished } from 'vitest'
import type { Config } from '../../src/model/settings/config.ts'
import type { TestSession } from './carrel-session.ts'
import type { AtEnd, World } from './carrel-world.ts'
import { onFileFinished } from './file-end.ts'

/** `alone`: for tests that examine the whole server: its processes, status, data folder or other workspaces. */
interface Sharing {
  readonly alone?: boolean
}

export type OpenShared = (settings?: Partial<Config>, sharing?: Sharing) => Promise<World>

/**
 * Opens one Carrel for all tests of a file that need the same settings: the start of an engine costs more than most
 * tests. Each test gets a workspace of its own, whose sessions are closed at the end of the test.
 */
export function sharing(open: (settings: Partial<Config>, atEnd: AtEnd) => Promise<World>): OpenShared {
  const opened = new Map<string, Promise<World>>()
  let workspaces = 0
  return async (settings = {}, { alone = false } = {}) => {
    if (alone) return await open(settings, onTestFinished)
    const key = JSON.stringify(settings)
    const found = opened.get(key) ?? open(settings, onFileFinished)
    opened.set(key, found)
    const world = await found
    workspaces += 1
    const workspace = `test-${workspaces}`
    await world.carrel.call('workspaces.create', { id: workspace })
    return inWorkspace(world, workspace)
  }
}

function inWorkspace(world: World, workspace: string): World {
  const sessions: TestSession[] = []
  onTestFinished(async () => {
    for (const { workspace, id } of sessions) await world.carrel.call('sessions.close', { workspace, id }).catch(isGone)
  })
  return {
    ...world,
    workspace,
    async session(options = {}) {
      const session = await world.session({ workspace, ...options })
      sessions.push(session)
      return session
    },
  }
}

/** Ignores sessions and workspaces that the test itself deleted or archived. */
function isGone(error: { code?: string }): void {
  if (!['not_found', 'gone'].includes(error.code ?? '')) throw error
}
