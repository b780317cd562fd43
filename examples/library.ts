// Runs Carrel inside your own program. In a checkout: node --conditions=carrel-source examples/library.ts
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCarrel } from 'carrel'

const dataFolder = await mkdtemp(join(tmpdir(), 'carrel-example-'))
const carrel = await openCarrel({ dataFolder, defaultAgent: 'scripted' })
try {
  const workspace = 'default'
  const { project } = await carrel.call('spaces.create', { workspace, name: 'Trying things' })
  const session = await carrel.call('sessions.create', { workspace, project: project.id })
  const content = '@@do [{"say": "Hello from an agent."}] @@end'
  const done = await carrel.call('sessions.prompt', { workspace, id: session.id, content, wait: 'ended' })
  console.log(`${done.outcome}: ${done.text}`)
} finally {
  await carrel.close()
  await rm(dataFolder, { recursive: true })
}
