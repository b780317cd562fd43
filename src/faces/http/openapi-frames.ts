import { z } from 'zod'
import { BrowserFrame, BrowserScene } from '../../model/browser-sight.ts'
import { StoredEvent } from '../../model/events/events.ts'
import { StoredWorkspaceEvent } from '../../model/events/workspace-log.ts'

const log = z.string().describe('Id of the session or workspace.')

/** Schemas of what streams carry, by the names that the document gives them. */
export const STREAM_SCHEMAS = {
  SessionEvent: StoredEvent,
  WorkspaceEvent: StoredWorkspaceEvent,
  CaughtUp: z.object({ log, head: z.number().int().describe('Last `seq` of the log when all past events were sent.') }),
  LogChanged: z.object({ log }),
  LogEnded: z.object({ log, reason: z.string().describe('A sentence.') }),
  BrowserScene,
  BrowserFrame,
} as const

type Name = keyof typeof STREAM_SCHEMAS

/** `event` of a message -> the schema of its `data`; null for an empty object. */
type Frames = Readonly<Record<string, Name | null>>

export const LOG_FRAMES: Frames = {
  session: 'SessionEvent',
  workspace: 'WorkspaceEvent',
  'caught-up': 'CaughtUp',
  files: 'LogChanged',
  browsers: 'LogChanged',
  ended: 'LogEnded',
}

export const LIVE_FRAMES: Frames = { scene: 'BrowserScene', frame: 'BrowserFrame', ended: null }

/** Returns the content of a stream's answer: one schema for each kind of message. */
export function streamContent(frames: Frames): Record<string, unknown> {
  const oneOf = Object.entries(frames).map(([event, name]) => ({
    type: 'object',
    required: ['event', 'data'],
    properties: {
      event: { const: event },
      id: { type: 'string', description: 'Position of the stream; absent in the live view of a browser.' },
      data: name === null ? { type: 'object' } : { $ref: `#/components/schemas/${name}` },
    },
  }))
  const contentSchema = { description: 'One message. `data` is JSON text in the stream.', oneOf }
  return { 'text/event-stream': { schema: { type: 'string', contentMediaType: 'text/event-stream', contentSchema } } }
}
