import { X } from 'lucide-react'
import {
  type ClipboardEvent,
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useId,
  useLayoutEffect,
  useRef,
} from 'react'
import type { SessionView } from '../../../src/model/events/view.ts'
import { useOffer } from '../../data/commands.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { SlashMenu, useSlash } from './SlashMenu.tsx'
import { type Picture, readPicture, type useDraft } from './use-draft.ts'
import type { Prompt } from './use-prompt.ts'

/** The text field of the composer, with its slash commands and pasted pictures. */
export function PromptField({ prompt, agents }: { prompt: Prompt; agents: SessionView['agents'] }) {
  const { draft, pictures, setPictures, agent, send, empty } = prompt
  const area = useRef<HTMLTextAreaElement>(null)
  const list = useId()
  const slash = useSlash(draft.text, agents[agent]?.commands ?? [], (text) => {
    draft.set(text)
    area.current?.focus()
  })
  useOffer('write', useWrite(draft, area))
  useGrowing(area, draft.text)
  const press = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing || slash.press(event)) return
    const fingers = matchMedia('(pointer: coarse)').matches
    if (event.key !== 'Enter' || event.shiftKey || (fingers && !event.ctrlKey && !event.metaKey)) return
    event.preventDefault()
    if (!empty) send.run()
  }
  const paste = (event: ClipboardEvent): void => {
    const files = [...event.clipboardData.files].filter(({ type }) => type.startsWith('image/'))
    if (files.length === 0) return
    event.preventDefault()
    void Promise.all(files.map(readPicture)).then((more) => setPictures((before) => [...before, ...more]))
  }
  return (
    <>
      <SlashMenu id={list} slash={slash} />
      <Pictures pictures={pictures} onDrop={(at) => setPictures(pictures.filter((_, each) => each !== at))} />
      <textarea
        ref={area}
        rows={1}
        aria-label={texts.composer.title}
        placeholder={texts.composer.placeholder}
        value={draft.text}
        onChange={(event) => draft.set(event.target.value)}
        onKeyDown={press}
        onPaste={paste}
        {...(slash.open && {
          role: 'combobox',
          'aria-expanded': true,
          'aria-controls': list,
          'aria-activedescendant': `${list}-${slash.at}`,
        })}
      />
    </>
  )
}

/** Returns a function that appends text to the draft, for the palette and for comments on diffs. */
function useWrite(draft: ReturnType<typeof useDraft>, area: RefObject<HTMLTextAreaElement | null>) {
  const latest = useRef(draft)
  latest.current = draft
  return useCallback(
    (more: string) => {
      const { text, set } = latest.current
      set([text.trimEnd(), more].filter(Boolean).join('\n\n'))
      area.current?.focus()
    },
    [area],
  )
}

/** Makes the field as high as its text, up to a third of the window. */
function useGrowing(area: RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height depends on the text
  useLayoutEffect(() => {
    const element = area.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${Math.min(element.scrollHeight, Math.max(120, innerHeight / 3))}px`
  }, [area, text])
}

function Pictures({ pictures, onDrop }: { pictures: readonly Picture[]; onDrop: (at: number) => void }) {
  if (pictures.length === 0) return null
  return (
    <ul className="pictures">
      {pictures.map(({ data, mimeType }, at) => (
        <li key={data.slice(-64)}>
          <img src={`data:${mimeType};base64,${data}`} alt={texts.composer.pasted(at + 1)} />
          <Button
            icon={X}
            className="icon small"
            aria-label={texts.composer.removePicture(at + 1)}
            onClick={() => onDrop(at)}
          />
        </li>
      ))}
    </ul>
  )
}
