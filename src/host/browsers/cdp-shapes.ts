import { z } from 'zod'

/** Longest title, address or dialog text that is kept. Characters. */
const MAX_TEXT_CHARS = 2_000
/** Largest kept picture, in base64: a window of the default size has a tenth of it. */
const MAX_PICTURE_CHARS = 2_000_000

const text = z.string().transform((raw) => raw.slice(0, MAX_TEXT_CHARS))

/** Shapes of the CDP results and events that a screen reads. */

const TargetInfo = z.object({ targetId: z.string(), type: z.string(), title: text, url: text })
export type TargetInfo = z.infer<typeof TargetInfo>
export const OneTarget = z.object({ targetInfo: TargetInfo })
export const AllTargets = z.object({ targetInfos: z.array(TargetInfo) })
export const TargetDestroyed = z.object({ targetId: z.string() })
export const Attached = z.object({ sessionId: z.string() })
export const Visibility = z.object({ visible: z.boolean() })
export const ScreencastFrame = z.object({
  data: z.base64(),
  sessionId: z.number(),
  metadata: z.object({ deviceWidth: z.number().positive(), deviceHeight: z.number().positive() }),
})
export const DialogOpening = z.object({
  type: z.enum(['alert', 'confirm', 'prompt', 'beforeunload']),
  message: text,
  defaultPrompt: text.optional(),
})
export const Screenshot = z.object({ data: z.base64().max(MAX_PICTURE_CHARS) })
export const LayoutMetrics = z.object({
  cssVisualViewport: z.object({ clientWidth: z.number().positive(), clientHeight: z.number().positive() }),
})
