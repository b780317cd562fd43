import { PromptId, SessionId, WorkspaceId } from '../../src/model/ids.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { lockFolder } from '../../src/store/sqlite/lock.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { ask } from './store-world.ts'

/** A process that a test may kill: locks a folder, or writes and reports each acknowledgement. */
const [what, ...args] = process.argv.slice(2)
const tell = (message: unknown) => process.send?.(message)

if (what === 'lock') {
  await lockFolder(args[0] ?? '')
  tell('locked')
  setInterval(() => {}, 60_000)
}

if (what === 'write') {
  const [place = '', workspace, round = '0', ...sessions] = args
  const postgres = place.startsWith('postgres://')
  const store = postgres ? await openPostgres({ url: place }) : await openSqlite({ path: place })
  const writers = sessions.flatMap((id) =>
    [id, id, id].map((session, lane) => ({ session: SessionId.parse(session), lane })),
  )
  await Promise.all(
    writers.map(async ({ session, lane }) => {
      for (let count = 0; ; count += 1) {
        const index = sessions.indexOf(session) * 3 + lane
        const prompt = PromptId.parse(`pmt_${`r${round}w${index}c${count}`.padStart(26, '0')}`)
        const { seq } = await store.log.submit(WorkspaceId.parse(workspace), session, ask('words', prompt), { now: 5 })
        tell([session, seq])
      }
    }),
  )
}
