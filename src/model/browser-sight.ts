import { z } from 'zod'
import { Millis } from './ids.ts'
import { Who } from './tree.ts'

export const BrowserTab = z.object({ id: z.string(), title: z.string(), url: z.string() })
export type BrowserTab = z.infer<typeof BrowserTab>

/** Person who controls the browser of a run, and since when. */
export const BrowserHolder = z.object({ by: Who, since: Millis })
export type BrowserHolder = z.infer<typeof BrowserHolder>

/** JavaScript dialog that blocks its page until it is answered. `answer`: the default text of a prompt. */
export const BrowserDialog = z.object({
  kind: z.enum(['alert', 'confirm', 'prompt', 'beforeunload']),
  message: z.string(),
  answer: z.string(),
})
export type BrowserDialog = z.infer<typeof BrowserDialog>

/** State of a browser besides its picture. `starting`: no browser is running yet. */
export const BrowserScene = z.object({
  state: z.enum(['starting', 'live']),
  tabs: z.array(BrowserTab),
  /** Id of the visible tab; null without tabs. */
  shown: z.string().nullable(),
  dialog: BrowserDialog.nullable(),
  holder: BrowserHolder.nullable(),
})
export type BrowserScene = z.infer<typeof BrowserScene>

/** Picture of the visible tab. `data`: JPEG in base64. `width`, `height`: viewport size in CSS pixels. */
export const BrowserFrame = z.object({
  tab: z.string(),
  data: z.string(),
  width: z.number(),
  height: z.number(),
  at: Millis,
})
export type BrowserFrame = z.infer<typeof BrowserFrame>

/** Frame of a live view, highest rank first: every changed scene, then only the newest picture. */
export type Sight =
  | { readonly kind: 'scene'; readonly scene: BrowserScene }
  | { readonly kind: 'frame'; readonly frame: BrowserFrame }
  /** The run released its browser. Nothing follows. */
  | { readonly kind: 'ended' }

/** Point in the viewport, as fractions of its width and height. */
const At = { x: z.number().min(0).max(1), y: z.number().min(0).max(1) }
/** Modifier bits of CDP: 1 Alt, 2 Control, 4 Meta, 8 Shift. */
const Modifiers = z.number().int().min(0).max(15).default(0)

/** Address of a web site. `file:` and internal browser pages are refused. */
const Address = z
  .string()
  .trim()
  .min(1)
  .max(8_192)
  .transform(wholeAddress)
  .refine((address) => /^(https?:\/\/[^/]|about:blank$)/i.test(address) && URL.canParse(address), {
    message: 'Enter the address of a site, such as https://example.com.',
  })

export const BrowserInput = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('mouse'),
    what: z.enum(['move', 'down', 'up']),
    ...At,
    button: z.enum(['none', 'left', 'middle', 'right']).default('none'),
    /** Pressed buttons, as the bits of DOM `MouseEvent.buttons`. */
    buttons: z.number().int().min(0).max(31).default(0),
    clicks: z.number().int().min(0).max(3).default(0),
    modifiers: Modifiers,
  }),
  z.object({
    kind: z.literal('wheel'),
    ...At,
    dx: z.number().min(-10_000).max(10_000),
    dy: z.number().min(-10_000).max(10_000),
    modifiers: Modifiers,
  }),
  z.object({
    kind: z.literal('key'),
    what: z.enum(['down', 'up']),
    key: z.string().max(40),
    code: z.string().max(40).default(''),
    keyCode: z.number().int().min(0).max(255).default(0),
    modifiers: Modifiers,
  }),
  z.object({ kind: z.literal('text'), text: z.string().min(1).max(10_000) }),
  z.object({ kind: z.literal('go'), url: Address }),
  z.object({ kind: z.literal('step'), to: z.enum(['back', 'forward', 'reload']) }),
  /** Answers the dialog of the visible tab; no effect without a dialog. `text`: answer to a prompt. */
  z.object({ kind: z.literal('dialog'), accept: z.boolean(), text: z.string().max(10_000).optional() }),
])
export type BrowserInput = z.infer<typeof BrowserInput>

function wholeAddress(text: string): string {
  if (/^(https?:|about:)/i.test(text)) return text
  if (/^(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/i.test(text)) return `http://${text}`
  return /^[a-z][a-z+.-]*:(?!\d)/i.test(text) ? text : `https://${text}`
}

/** Screenshot kept in a notice's `data`. */
export const KeptPicture = z.object({
  image: z.looseObject({ type: z.literal('image'), mimeType: z.string(), data: z.string() }),
  url: z.string(),
  title: z.string(),
})
export type KeptPicture = z.infer<typeof KeptPicture>
