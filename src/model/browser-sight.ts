import { z } from 'zod'
import { Millis } from './ids.ts'
import { Who } from './tree.ts'

/** A page that is open in a browser. */
export const BrowserTab = z.object({ id: z.string(), title: z.string(), url: z.string() })
export type BrowserTab = z.infer<typeof BrowserTab>

/** Who has taken over the browser of a run, and since when. */
export const BrowserHolder = z.object({ by: Who, since: Millis })
export type BrowserHolder = z.infer<typeof BrowserHolder>

/** What a page asks by itself, and stands still until it is answered. `answer`: what it proposes, of a prompt. */
export const BrowserDialog = z.object({
  kind: z.enum(['alert', 'confirm', 'prompt', 'beforeunload']),
  message: z.string(),
  answer: z.string(),
})
export type BrowserDialog = z.infer<typeof BrowserDialog>

/** What can be said of a browser beside its picture. `starting`: none is there just now, and one comes up. */
export const BrowserScene = z.object({
  state: z.enum(['starting', 'live']),
  tabs: z.array(BrowserTab),
  /** The tab that is shown; null while there is none. */
  shown: z.string().nullable(),
  /** Of the tab that is shown. */
  dialog: BrowserDialog.nullable(),
  holder: BrowserHolder.nullable(),
})
export type BrowserScene = z.infer<typeof BrowserScene>

/** A picture of the tab that is shown. `data`: a JPEG in base64. `width` and `height`: of the page's window, in its own pixels. */
export const BrowserFrame = z.object({
  tab: z.string(),
  data: z.string(),
  width: z.number(),
  height: z.number(),
  at: Millis,
})
export type BrowserFrame = z.infer<typeof BrowserFrame>

/** What comes down a live view, in this order of rank: a scene whenever it is another, and the newest picture. */
export type Sight =
  | { readonly kind: 'scene'; readonly scene: BrowserScene }
  | { readonly kind: 'frame'; readonly frame: BrowserFrame }
  /** The run needs its browser no more. Nothing follows. */
  | { readonly kind: 'ended' }

/** Where in the page's window, as a share of its width and height. */
const At = { x: z.number().min(0).max(1), y: z.number().min(0).max(1) }
/** As CDP counts them: 1 Alt, 2 Control, 4 Meta, 8 Shift. */
const Modifiers = z.number().int().min(0).max(15).default(0)

/** Only what leads to a site: `file:` and a browser's own pages are none of a person's business here. */
const Address = z
  .string()
  .trim()
  .min(1)
  .max(8_192)
  .transform(wholeAddress)
  .refine((address) => /^(https?:\/\/[^/]|about:blank$)/i.test(address) && URL.canParse(address), {
    message: 'Give the address of a site, such as https://example.com.',
  })

/** What a person does with mouse, keyboard and the bar with the address. */
export const BrowserInput = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('mouse'),
    what: z.enum(['move', 'down', 'up']),
    ...At,
    button: z.enum(['none', 'left', 'middle', 'right']).default('none'),
    /** Those that are down, as a browser counts them. */
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
  /** Answers the dialog of the tab that is shown; nothing where there is none any more. `text`: of a prompt. */
  z.object({ kind: z.literal('dialog'), accept: z.boolean(), text: z.string().max(10_000).optional() }),
])
export type BrowserInput = z.infer<typeof BrowserInput>

function wholeAddress(said: string): string {
  if (/^(https?:|about:)/i.test(said)) return said
  if (/^(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/i.test(said)) return `http://${said}`
  return /^[a-z][a-z+.-]*:(?!\d)/i.test(said) ? said : `https://${said}`
}

/** A picture that was kept, as it stands in a notice's `data`. */
export const KeptPicture = z.object({
  image: z.looseObject({ type: z.literal('image'), mimeType: z.string(), data: z.string() }),
  url: z.string(),
  title: z.string(),
})
export type KeptPicture = z.infer<typeof KeptPicture>
