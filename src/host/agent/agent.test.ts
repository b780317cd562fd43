import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  connect,
  type Heard,
  type Json,
  kinds,
  listen,
  never,
  session,
  steps,
  top,
} from '../../../test/support/scripted-setup.ts'

describe('a message of the agent', () => {
  it('reaches the listener unchanged and in order, also of an unknown kind', async () => {
    const { one, heard } = await session()
    const strange = { sessionUpdate: 'made_up_kind', _meta: { a: 1 }, deep: { x: [1] } }
    const odd = { sessionUpdate: 'tool_call', toolCallId: 'a', title: 't', kind: 'juggle', status: 'odd', extra: 1 }
    expect(await one.prompt(steps({ update: strange }, { update: odd }, { repeat: 50 }))).toMatchObject({
      stopReason: 'end_turn',
    })
    expect(heard.updates).toContainEqual(strange)
    expect(heard.updates).toContainEqual(odd)
    expect(heard.text()).toBe(Array.from({ length: 50 }, (_, index) => `${index} `).join(''))
  })

  it('may ask with unknown option kinds, without a kind and before any tool call, and gets the option back', async () => {
    const asked: Json[] = []
    const heard = listen({
      permission: async (request) => {
        asked.push(request as Json)
        return { outcome: 'selected', optionId: asked.length === 1 ? 'zzz' : 'allow-once' }
      },
    })
    const { one } = await session({ env: { SCRIPTED_QUIRKS: 'no_kind,ask_before_create' } }, heard)
    const options = [{ optionId: 'zzz', name: 'Later', kind: 'defer_forever', more: true }]
    await one.prompt(steps({ ask: { title: 'Strange?', options } }, { write: 'a.txt', content: 'a' }))
    expect(asked[0]?.options).toEqual(options)
    expect(asked[1]?.toolCall).not.toHaveProperty('kind')
    expect(heard.text()).toContain('You chose: zzz')
    expect(kinds(heard.updates)).not.toContain('tool_call')
    expect(kinds(heard.updates)).toContain('tool_call_update')
  })

  it('through an unknown method is answered -32601, and ids of both directions do not mix', async () => {
    const { one, heard, frames } = await session({ env: { SCRIPTED_QUIRKS: 'unknown_request,early_updates,garbage' } })
    await one.prompt(steps({ request: { method: '_vendor/thing', params: { a: 1 } } }, { ask: { title: 'go?' } }))
    expect(heard.text()).toContain('-32601')
    expect(kinds(heard.updates)).toContain('available_commands_update')
    const drained = frames.find(({ frame }) => frame.method === 'craft/drain')
    expect(frames).toContainEqual(
      expect.objectContaining({
        direction: 'out',
        frame: expect.objectContaining({ id: drained?.frame.id, error: expect.objectContaining({ code: -32601 }) }),
      }),
    )
    const ids = (direction: string) =>
      frames
        .filter((one) => one.direction === direction && one.frame.method && one.frame.id !== undefined)
        .map((one) => one.frame.id)
    expect(ids('in').some((id) => ids('out').includes(id))).toBe(true)
  })

  it('may arrive before its session has an id and after the answer', async () => {
    const { one, heard } = await session({ env: { SCRIPTED_QUIRKS: 'early_updates,late_updates' } })
    expect(kinds(heard.updates)).toEqual(['available_commands_update'])
    await one.prompt(steps({ say: 'x' }))
    await heard.until(() => heard.text().includes('late'))
  })

  it('that is not a message is noted, and the turn continues', async () => {
    const { one, heard } = await session()
    expect(
      await one.prompt(
        steps({ garbage: 'Debugger listening' }, { garbage: '{"jsonrpc": "2.0", "id": ' }, { say: 'on' }),
      ),
    ).toMatchObject({ stopReason: 'end_turn' })
    expect(heard.notices).toHaveLength(2)
    expect(heard.text()).toBe('on')
  })

  it('that cannot be stored ends that agent with a clear failure, and not the server', async () => {
    const heard = listen({
      update: (update) => {
        if ((update as Json).sessionUpdate === 'poison') throw new Error('lease lost')
      },
    })
    const { one, connection } = await session({}, heard)
    await expect(one.prompt(steps({ update: { sessionUpdate: 'poison' } }, { hang: true }))).rejects.toThrow(
      /lease lost/,
    )
    await connection.exited
  })

  it('in a frame over 32 MiB ends that agent with a clear failure and nothing else', async () => {
    const { one, heard, connection } = await session()
    const other = await session()
    await expect(one.prompt(steps({ huge: 33 << 20 }))).rejects.toMatchObject({
      name: 'AgentFailure',
      message: expect.stringContaining('32 MiB'),
    })
    expect(heard.notices.join()).toContain('32 MiB')
    await connection.exited
    expect(await other.one.prompt(steps({ say: 'alive' }))).toMatchObject({ stopReason: 'end_turn' })
  })

  it('that is an error, or a death, rejects the prompt with the last stderr output', async () => {
    const { one } = await session()
    await expect(one.prompt(steps({ fail: 'model is down' }))).rejects.toMatchObject({
      name: 'AgentFailure',
      code: -32603,
      message: expect.stringContaining('model is down'),
    })
    expect(await one.prompt(steps({ stop: 'refusal' }))).toMatchObject({ stopReason: 'refusal' })
    await expect(one.prompt(steps({ stderr: 'segfault at 0' }, { crash: true }))).rejects.toMatchObject({
      stderrTail: expect.stringContaining('segfault at 0'),
    })
    await expect(one.prompt(steps({ say: 'x' }))).rejects.toThrow(/exit code 1/)
  })

  it('with a form reaches the listener, and the answer returns', async () => {
    const heard = listen({
      elicit: async (request) => ({ action: 'accept', content: { name: (request as Json).message } }),
    })
    const { one } = await session({}, heard)
    const schema = { type: 'object', properties: { name: { type: 'string' } } }
    await one.prompt(steps({ form: { message: 'who', schema } }))
    expect(heard.text()).toContain('"content":{"name":"who"}')
  })
})

describe('cancel', () => {
  it('P2: is written, and every open question is answered cancelled, within one tick', async () => {
    let fired = false
    const heard: Heard = listen({
      permission: (request, signal) => {
        heard.asked.push(request as Json)
        signal.addEventListener('abort', () => (fired = true))
        opened()
        return new Promise(() => {})
      },
    })
    let opened = () => {}
    const open = new Promise<void>((resolve) => (opened = resolve))
    const { one, frames } = await session({}, heard)
    const done = one.prompt(steps({ ask: { title: 'wait' } }))
    await open
    const before = frames.length
    one.cancel()
    expect(frames.at(before)?.frame).toMatchObject({ method: 'session/cancel' })
    await new Promise((resolve) => process.nextTick(resolve))
    expect(fired).toBe(true)
    expect(frames.slice(before).map(({ frame }) => frame)).toContainEqual(
      expect.objectContaining({ result: { outcome: { outcome: 'cancelled' } } }),
    )
    expect(await done).toMatchObject({ stopReason: 'cancelled' })
    expect(await one.prompt(steps({ say: 'next' }))).toMatchObject({ stopReason: 'end_turn' })
  })

  it('P2: leaves a command running that the agent forgets, which the host finds and ends', async () => {
    const { one, connection, place, heard } = await session()
    const began = Date.now()
    // The wait ends at the first output, so the file must exist by then.
    const done = one.prompt(steps({ run: 'echo x > started; echo $$; exec sleep 31313' }))
    await heard.until(() => existsSync(join(place.cwd, 'started')))
    one.cancel()
    expect(await done).toMatchObject({ stopReason: 'cancelled' })
    // The process is named `sh` until it has become `sleep`.
    expect(await connection.descendants({ bornAfterMs: began })).toHaveLength(1)
    expect(await connection.killDescendantsBornAfter(began)).toHaveLength(1)
    expect(await connection.descendants()).toEqual([])
    expect(await one.prompt(steps({ say: 'still here' }))).toMatchObject({ stopReason: 'end_turn' })
  })

  it('P2: a stop ends an agent that ignores end of file and SIGTERM', async () => {
    const { connection } = await session({ env: { SCRIPTED_QUIRKS: 'no_eof,no_term' } })
    await connection.stop()
    expect(await connection.exited).toMatchObject({ signal: 'SIGKILL' })
  })
})

describe('after kill -9', () => {
  async function cut(env: Record<string, string> = {}, how: 'kill' | 'stop' = 'kill') {
    const home = mkdtempSync(join(top, 'home-'))
    const first = await session({ home }, listen({ permission: () => new Promise(() => {}) }))
    await first.one.prompt(steps({ say: 'one two three', chunks: 3 }, { read: 'none.txt' }))
    const turn = first.one
      .prompt(steps({ say: 'before ' }, { write: 'f.txt', content: 'f' }, { say: 'after' }))
      .catch((error: Error) => error.message)
    await first.heard.until(() => first.heard.text().includes('before'))
    await expect.poll(() => first.frames.some(({ frame }) => frame.method === 'session/request_permission')).toBe(true)
    await first.connection[how]()
    expect(await turn).toMatch(/ended in the middle of its work/)
    return { home, id: first.one.id, place: first.place, next: await connect({ home, env }) }
  }

  it.each(['kill', 'stop'] as const)(
    'or a %s: a session is resumed without a replay, and an unfinished turn asks again',
    async (how) => {
      const { id, place, next } = await cut({}, how)
      const heard = listen()
      const again = await next.connection.reopen(id, place, heard.listener, never)
      expect(next.frames.some(({ frame }) => frame.method === 'session/resume')).toBe(true)
      await again.prompt([{ type: 'text', text: 'answered, go on' }])
      expect(heard.asked.map((request) => request.toolCall.title)).toEqual(['Write f.txt'])
      expect(readFileSync(join(place.cwd, 'f.txt'), 'utf8')).toBe('f')
      expect(heard.text()).toContain('after')
      expect(heard.text()).not.toContain('before')
      expect(heard.replayed).toEqual([])
    },
  )

  it('where resume is offered but unknown the session is loaded, and replayed updates never count as new', async () => {
    const { id, place, next } = await cut({ SCRIPTED_QUIRKS: 'no_resume' })
    const heard = listen()
    await next.connection.reopen(id, place, heard.listener, never)
    expect(heard.replayed.map((update) => update.content?.text)).toContain('one two three')
    expect(heard.updates.filter((update) => update.sessionUpdate !== 'available_commands_update')).toEqual([])
  })

  it('an agent that cannot load, or does not know the session, answers gone', async () => {
    const { id, place, next } = await cut({ SCRIPTED_NO_LOAD: '1' })
    await expect(next.connection.reopen(id, place, listen().listener, never)).rejects.toMatchObject({ code: 'gone' })
    const knows = await connect()
    await expect(knows.connection.reopen('scripted-unknown', place, listen().listener, never)).rejects.toMatchObject({
      code: 'gone',
    })
  })
})
