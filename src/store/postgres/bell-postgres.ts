import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { z } from 'zod'
import type { SessionId } from '../../model/ids.ts'
import { createTimer } from '../../primitives/timers.ts'
import { type Bell, createBell } from '../bell.ts'
import { coalesce } from '../sql/tx.ts'
import type { Ring } from '../store.ts'
import { fromPostgres } from './postgres-errors.ts'

const CHANNEL = 'carrel_bell'
/** Rings of this long go out together. A NOTIFY for each commit would cost most of the commits. */
const BATCH_MS = 20
/** Postgres takes 8000 bytes in one notification; a ring takes at most about 190. */
const RINGS_PER_NOTE = 40
const RETRY_MS = [100, 500, 2_000, 5_000]

/** `from` is the bell that sent it, then its rings. */
const Note = z.tuple([z.string(), z.array(z.tuple([z.string(), z.number(), z.boolean()]))])

/**
 * The bell of several nodes on one Postgres database: LISTEN and NOTIFY over a connection of its own. Own listeners
 * hear at once and others after some 20 ms; while the server is away rings are lost, which costs them delay only (L7).
 * @throws unavailable when the server cannot be reached at first
 */
export async function createPostgresBell(url: string): Promise<Bell> {
  const local = createBell()
  const me = randomUUID()
  const closed = new AbortController()
  let waiting: Ring[] = []
  const batch = createTimer()
  let client: pg.Client | null = null
  let sending: Promise<unknown> = Promise.resolve()

  const hear = ({ payload }: pg.Notification) => {
    for (const ring of readNote(payload, me)) local.ring(ring)
  }
  const connect = async () => {
    const fresh = new pg.Client({ connectionString: url, application_name: 'carrel bell', keepAlive: true })
    fresh.on('error', () => {})
    fresh.on('notification', hear)
    try {
      await fresh.connect()
      await fresh.query(`listen ${CHANNEL}`)
    } catch (error) {
      await fresh.end().catch(() => {})
      throw fromPostgres(error)
    }
    if (closed.signal.aborted) return void (await fresh.end())
    client = fresh
    fresh.once('end', () => {
      client = null
      void reconnect()
    })
  }
  const reconnect = async () => {
    for (let tries = 0; !closed.signal.aborted; tries += 1) {
      const ms = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]
      try {
        await pause(ms, undefined, { signal: closed.signal, ref: false })
        await connect()
        return
      } catch {
        // Tried again, until it works or the bell is closed.
      }
    }
  }
  const send = () => {
    const rings = coalesce(waiting)
    waiting = []
    sending = notify(client, me, rings)
  }

  await connect()
  return {
    ring(ring) {
      local.ring(ring)
      waiting.push(ring)
      batch.start(BATCH_MS, send)
    },
    listen: local.listen,
    async close() {
      closed.abort()
      batch.stop()
      send()
      await sending
      await local.close()
      client?.removeAllListeners('end')
      await client?.end()
    },
  }
}

/** A note that cannot be sent is lost, and whoever waits for it looks by himself after a while. */
async function notify(client: pg.Client | null, me: string, rings: readonly Ring[]): Promise<void> {
  if (!client) return
  for (let start = 0; start < rings.length; start += RINGS_PER_NOTE) {
    const part = rings.slice(start, start + RINGS_PER_NOTE)
    const note = JSON.stringify([me, part.map(({ log, head, due }) => [log, head, due])])
    await client.query('select pg_notify($1, $2)', [CHANNEL, note]).catch(() => {})
  }
}

function readNote(payload: string | undefined, me: string): Ring[] {
  try {
    const [from, rings] = Note.parse(JSON.parse(payload ?? ''))
    // Own listeners have heard it already.
    return from === me ? [] : rings.map(([log, head, due]) => ({ log: log as SessionId, head, due }))
  } catch {
    return []
  }
}
