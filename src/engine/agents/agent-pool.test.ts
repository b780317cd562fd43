import { expect, it } from 'vitest'
import { createAdmission } from '../../host/agent/admission.ts'
import type { AgentConnection, AgentListener } from '../../host/agent/agent.ts'
import { AgentRecipe } from '../../model/agent.ts'
import type { RunId } from '../../model/ids.ts'
import { AgentPool } from './agent-pool.ts'
import type { AgentNeed } from './agent-slot.ts'

/** A pool of fake agents that open conversations and record which were closed. */
function world() {
  const closed: string[] = []
  const stopped: number[] = []
  let started = 0
  const connect = async (): Promise<AgentConnection> => {
    const pid = ++started
    let opened = 0
    const open = async () => {
      const id = `${pid}.${++opened}`
      return { id, opened: {}, close: async () => void closed.push(id) }
    }
    const { promise: exited, resolve: exit } = Promise.withResolvers<void>()
    const stop = async () => {
      stopped.push(pid)
      exit()
    }
    return { pid, open, stop, forget: async () => undefined, usable: true, exited } as unknown as AgentConnection
  }
  const pool = new AgentPool({
    resume: async () => null,
    end: async () => new Map(),
    remove: async () => undefined,
    surviving: [],
    rejoins: true,
    connect,
    admission: createAdmission(2),
    idleMs: 60_000,
  })
  return { pool, closed, stopped, started: () => started }
}

const need = (session: string, more: Partial<AgentNeed> & { runsPerProcess?: number } = {}): AgentNeed => {
  const { runsPerProcess = 1, ...rest } = more
  const recipe = AgentRecipe.parse({ id: 'one', name: 'One', command: 'one', runsPerProcess })
  return { recipe, program: '/bin/one', env: {}, workspace: 'w', context: `${session} one`, ...rest }
}

const listener = { run: 'run_1' as RunId, listener: {} as AgentListener }
const place = { cwd: '/', roots: [], mcpServers: [] }
const signal = new AbortController().signal

it('forgetting a session closes its conversations in all processes, with all agents, and no other', async () => {
  const { pool, closed } = world()
  for (const context of ['a one', 'a two', 'b one']) {
    const slot = await pool.checkout(need('', { context }), signal)
    await slot.open(place, listener, signal)
    slot.leave()
  }
  expect(pool.sessions('w').sort()).toEqual(['a', 'b'])
  expect(pool.sessions('another')).toEqual([])
  await pool.forget('a')
  expect(closed).toHaveLength(2)
  expect(pool.sessions('w')).toEqual(['b'])
  await pool.close()
})

it('a process takes one run at a time unless its recipe says more, and is never shared between workspaces', async () => {
  const { pool, started } = world()
  const first = await pool.checkout(need('a'), signal)
  const second = await pool.checkout(need('b'), signal)
  expect(started()).toBe(2)
  expect(first.alone() && second.alone()).toBe(true)
  first.leave()
  await pool.checkout(need('c'), signal)
  expect(started()).toBe(2)
  await pool.checkout(need('d', { workspace: 'other' }), signal)
  expect(started()).toBe(3)
  const many = await Promise.all(
    ['e', 'f', 'g'].map((name) => pool.checkout(need(name, { runsPerProcess: 9, program: '/bin/many' }), signal)),
  )
  expect(started()).toBe(4)
  expect(many[0]?.alone()).toBe(false)
  await pool.close()
})

it('F8: a process serves the namespace that it was started in, and no other', async () => {
  const { pool, started } = world()
  const many = (name: string, namespace: string | null) =>
    pool.checkout(need(name, { runsPerProcess: 9, place: { namespace, enter: [] } }), signal)
  const slots = [await many('a', null), await many('b', 'one'), await many('c', 'two'), await many('d', 'one')]
  expect(started()).toBe(3)
  expect(slots.map(({ connection }) => connection.pid)).toEqual([1, 2, 3, 2])
  const direct = await pool.checkout(need('e', { runsPerProcess: 9 }), signal)
  expect(direct.connection.pid).toBe(1)
  await pool.close()
})

it('P5: a process with a run that was left to the next server belongs to no other run alone', async () => {
  const { pool, stopped } = world()
  const both = ['a', 'b'].map((name) => pool.checkout(need(name, { runsPerProcess: 2 }), signal))
  const [working, waiting] = await Promise.all(both)
  expect([working?.alone(), waiting?.alone()]).toEqual([false, false])
  working?.abandon()
  working?.leave()
  // Parking the other one now must end its conversation, and not the process.
  expect(waiting?.alone()).toBe(false)
  waiting?.leave()
  expect(stopped).toEqual([])
})
