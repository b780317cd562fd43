import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { type Effort, measureAppends, measureStore } from './appends.ts'
import { measureBuilt } from './built.ts'
import { cleanUp } from './children.ts'
import { notes, type Result, table } from './figures.ts'
import { measureFiles } from './files.ts'
import { measurePlaces } from './files-places.ts'
import { measureCatchUp, measureLatency } from './follows.ts'
import { measureLists, measureStalled, measureTurns } from './serving.ts'
import { measureStart } from './starting.ts'
import { measureStreaming } from './streaming.ts'
import { measureWeight } from './weight.ts'
import { closeKept } from './wire.ts'

const HELP = `npm run bench -- [--quick] [--only name,name] [--json] [--save]

Measures Carrel beside the reference server of the durable-streams protocol, in one run and by turns.
  --quick   shorter and fewer rounds: a look, nothing to write down
  --only    some of: appends, store, latency, catch-up, streaming, streams, turns, lists, stalled, weight, start, built, files, places
  --trees   sizes of the trees for files, 1000,10000,100000 if left out
  --json    all rounds as JSON instead of a table
  --save    writes the table to bench/README.md`

const FULL: Effort = { rounds: 5, roundMs: 2_000, trees: [1_000, 10_000, 100_000] }
const QUICK: Effort = { rounds: 2, roundMs: 600, trees: [1_000, 10_000] }

const MEASURES: Readonly<Record<string, (effort: Effort, quick: boolean) => Promise<Result[]>>> = {
  appends: measureAppends,
  store: measureStore,
  latency: measureLatency,
  'catch-up': measureCatchUp,
  streaming: (_, quick) => measureStreaming({ seconds: quick ? 6 : 20, single: false }),
  streams: (_, quick) => measureStreaming({ seconds: quick ? 6 : 20, single: true }),
  turns: measureTurns,
  lists: measureLists,
  stalled: measureStalled,
  weight: measureWeight,
  start: measureStart,
  built: measureBuilt,
  files: measureFiles,
  places: measurePlaces,
}

const README = new URL('README.md', import.meta.url)
const [BEGIN, END] = ['<!-- figures -->', '<!-- end of figures -->']

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      trees: { type: 'string' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const names = values.only?.split(',') ?? Object.keys(MEASURES)
  const unknown = names.filter((name) => !Object.hasOwn(MEASURES, name))
  if (values.help || unknown.length > 0) {
    console.log(unknown.length > 0 ? `There is no measurement ${unknown.join(', ')}.\n\n${HELP}` : HELP)
    return unknown.length > 0 ? 64 : 0
  }
  const effort = values.quick ? QUICK : FULL
  const trees = values.trees?.split(',').map(Number) ?? effort.trees
  const results: Result[] = []
  let failed = 0
  for (const name of names) {
    process.stderr.write(`${name} ...\n`)
    try {
      results.push(...((await MEASURES[name]?.({ ...effort, trees }, values.quick)) ?? []))
    } catch (thrown) {
      failed += 1
      cleanUp()
      process.stderr.write(`${name} could not be measured: ${thrown instanceof Error ? thrown.stack : thrown}\n`)
    }
  }
  if (values.json) console.log(JSON.stringify({ ...machine(), results }, null, 2))
  else console.log(`\n${described()}\n\n${table(results)}\n\n${notes(results)}`)
  if (values.save) save(results)
  return failed > 0 ? 1 : 0
}

function machine() {
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
    reference: '@durable-streams/server 0.3.7, storing to files',
  }
}

function described(): string {
  const { date, node, cores, processor, memoryGib, platform, reference } = machine()
  return `${date}, ${cores} cores (${processor}), ${memoryGib} GiB, ${platform}, Node ${node}.\nBeside it: ${reference}.\nMedians over the rounds of one run.`
}

/** Replaces the figures between two marks, and nothing else. */
function save(results: readonly Result[]): void {
  const text = readFileSync(README, 'utf8')
  const [before, rest = ''] = text.split(BEGIN)
  const [, after = ''] = rest.split(END)
  const figures = `${BEGIN}\n${described()}\n\n${table(results)}\n\n${notes(results)}\n${END}`
  writeFileSync(README, `${before}${figures}${after}`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.once('exit', cleanUp)
process.exitCode = await main()
closeKept()
