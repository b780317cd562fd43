import { useQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import type { PathClass } from '../../src/model/conflicts.ts'
import { asCarrelError } from '../../src/model/errors.ts'
import { usePage, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'

/** Which rule decides on a path, as the server says. */
export function TryPath({ space }: { space: string }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [path, setPath] = useState('')
  const wanted = useDeferredValue(path.trim())
  const { data, error } = useQuery({
    queryKey: ['file-rules', workspace, space, 'check', wanted],
    queryFn: () => page.call('fileRules.check', { workspace, id: space, path: wanted }),
    enabled: wanted !== '',
    retry: false,
  })
  const words = texts.places.rules
  return (
    <div className="stack-s">
      <label className="form-field">
        <span>
          {words.test} <span className="faint">{words.testNote}</span>
        </span>
        <input
          className="field mono"
          placeholder={words.testHint}
          value={path}
          spellCheck={false}
          onChange={(event) => setPath(event.target.value)}
        />
      </label>
      {wanted && error && <Problem error={asCarrelError(error)} />}
      {wanted && data && (
        <p role="status">
          {words.verdict(words.classes[data.class as PathClass] ?? data.class, words.actions[data.action], data.glob)}{' '}
          <span className="dim">{data.covered ? words.isCovered : words.notCovered}</span>
        </p>
      )}
    </div>
  )
}
