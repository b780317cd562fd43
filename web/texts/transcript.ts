import { stepWord } from '../../src/model/state-words.ts'
import type { RunOutcome } from '../../src/model/tree.ts'
import { count } from './format.ts'

const FACES: Readonly<Record<string, string>> = { api: 'API', cli: 'terminal', web: 'page' }

/** The parts of a transcript that neither a person nor an agent wrote. */
export const transcript = {
  title: 'Transcript',
  empty: {
    title: 'No messages yet',
    text: 'Write a prompt below. You can close this page while the agent works; nothing is lost.',
  },
  loadingOlder: 'Loading older messages…',
  newest: 'Newest',
  since: 'New since your last visit',
  /** Labels of messages that an agent sent after its run. */
  afterword: { this: 'After the run', earlier: 'After an earlier run' },
  acts: { copyText: 'Copy text', copyLink: 'Copy link', fork: 'Fork from here' },
  attached: 'Attached',
  message: 'Message of the agent',
  steered: { title: 'Steering message', text: 'sent into the run' },
  update: 'Update',
  thinking: 'Thinking',
  thought: 'Thought',
  run: {
    title: (agent: string) => `Prompt to ${agent}`,
    somebody: 'Somebody',
    to: (agent: string) => `to ${agent}`,
    by: (face: string) => `via ${FACES[face] ?? face}`,
    showAll: 'Show all',
    showLess: 'Show less',
    /** Explains outcomes whose word alone does not tell enough. */
    notes: {
      refused: 'by the agent',
      over_budget: 'stopped at its time budget',
      lost: 'the agent process is gone; its progress is unknown',
    } satisfies Partial<Record<RunOutcome, string>>,
    fork: 'Fork after this run',
    halfDone: (steps: number) =>
      `${count(steps, 'step')} ${steps === 1 ? 'was' : 'were'} cut off. Check what ${steps === 1 ? 'it' : 'they'} changed:`,
    stderr: 'Last output of the agent (stderr)',
  },
  plan: {
    title: 'Plan',
    done: (done: number, all: number) => `${done} of ${all}`,
    high: 'high priority',
  },
  step: stepWord,
  tool: {
    exit: (code: number) => `exit ${code}`,
    input: 'Raw input',
    output: 'Raw output',
    nothing: 'The agent sent no details.',
    terminal: (id: string) => `Output of terminal ${id}`,
    leftOut: (size: string) => `${size} hidden`,
    showWhole: 'Show full output',
  },
  whole: {
    title: 'Full output',
    reading: 'Reading the log…',
    failed: 'The log could not be read.',
    save: 'Save to file',
    file: 'output.txt',
    size: (size: string, lines: number) => `${size}, ${count(lines, 'line')}`,
  },
  diff: {
    newFile: 'new file',
    tooDifferent: 'The versions differ too much for a line-by-line diff.',
    same: 'No lines differ.',
    title: (path: string) => `Changes in ${path}`,
    line: (line: number) => `line ${line}`,
  },
} as const
