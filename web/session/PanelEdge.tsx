import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { panelWidth, rememberWidth } from '../data/panel.ts'
import { texts } from '../texts/texts.ts'

const STEP = 32

/** The edge of the panel. The pointer or the arrow keys move it. */
export function PanelEdge({ width, onWidth }: { width: number; onWidth: (width: number) => void }) {
  const from = useRef<{ x: number; width: number } | null>(null)
  const set = (wanted: number): void => {
    const next = panelWidth(wanted)
    onWidth(next)
    rememberWidth(next)
  }
  const press = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowLeft' ? STEP : event.key === 'ArrowRight' ? -STEP : 0
    if (step === 0) return
    event.preventDefault()
    set(width + step)
  }
  const grip = (event: PointerEvent): void => {
    event.currentTarget.setPointerCapture(event.pointerId)
    from.current = { x: event.clientX, width }
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      className="panel-edge"
      role="separator"
      aria-orientation="vertical"
      aria-label={texts.files.panel.resize}
      aria-valuenow={width}
      aria-valuemin={panelWidth(0)}
      aria-valuemax={panelWidth(Number.MAX_SAFE_INTEGER)}
      tabIndex={0}
      onKeyDown={press}
      onPointerDown={grip}
      onPointerMove={({ clientX }) => from.current && set(from.current.width + from.current.x - clientX)}
      onPointerUp={() => {
        from.current = null
      }}
    />
  )
}
