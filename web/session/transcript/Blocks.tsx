import { FileText } from 'lucide-react'
import type { ContentBlock } from '../../../src/model/events/events.ts'
import { asText } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { OmittedPicture } from './OmittedPicture.tsx'

export const textOf = (content: readonly ContentBlock[]): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')

/** Content blocks that are not text: pictures, links to files, and unknown kinds as raw data. */
export function Blocks({ blocks }: { blocks: readonly unknown[] }) {
  if (blocks.length === 0) return null
  return (
    <div className="blocks">
      {blocks.map((block, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a block has no identity but its place
        <Block key={at} block={(block ?? {}) as Record<string, unknown>} />
      ))}
    </div>
  )
}

/** A picture of a block. A picture that the block omits is read from the log. */
export function ImageBlock({ block, alt }: { block: Record<string, unknown>; alt: string }) {
  const { mimeType, data, leftOut } = block
  if (typeof mimeType !== 'string') return null
  if (typeof leftOut === 'number') return <OmittedPicture picture={{ mimeType, leftOut }} alt={alt} />
  return <img className="block-image" src={`data:${mimeType};base64,${data}`} alt={alt} />
}

function Block({ block }: { block: Record<string, unknown> }) {
  if (block.type === 'image' && typeof block.data === 'string' && /^image\/[\w.+-]+$/.test(String(block.mimeType))) {
    return <ImageBlock block={block} alt={texts.transcript.attached} />
  }
  if (block.type === 'resource_link') {
    return (
      <span className="block-link" title={String(block.uri)}>
        <FileText className="glyph" aria-hidden />
        <span className="cut">{String(block.name ?? block.uri)}</span>
      </span>
    )
  }
  return <pre className="output scroll">{asText(block)}</pre>
}
